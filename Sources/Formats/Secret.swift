/// A text that must not reach a log: it prints as `‹redacted›` everywhere, also inside other values and dumps.
///
/// Whoever really needs the text asks for it by `reveal()`, which is easy to find in a review.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let text: String

  public init(_ text: String) { self.text = text }

  /// The text itself.
  public func reveal() -> String { text }

  public var description: String { "‹redacted›" }
  public var debugDescription: String { "‹redacted›" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
