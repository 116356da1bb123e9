/// Something secret: it can be used, but prints as `‹redacted›`, also inside of what holds it.
public struct Redacted<Secret: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// What is hidden.
  public let secret: Secret

  public init(_ secret: Secret) { self.secret = secret }

  public var description: String { "‹redacted›" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(reflecting: description) }
}

extension Redacted: Equatable where Secret: Equatable {}
extension Redacted: Hashable where Secret: Hashable {}
