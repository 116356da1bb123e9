public import Formats

/// What changes from one document to another, in lines for people (`reference/director.md A.5`).
///
/// Lines are YAML with two blanks per level. Elements of lists are matched by `name` (or `alias`, or `range`), so that a
/// change inside one shows that change; a change of their order alone is not shown.
public enum ManifestDiff {
  public struct Line: Sendable, Hashable {
    public enum Change: String, Sendable, Hashable { case added, removed }

    public var text: String
    /// Nil for lines that say where a change is.
    public var change: Change?

    public init(_ text: String, _ change: Change? = nil) {
      self.text = text
      self.change = change
    }

    /// `["line", "added"]` as the API has it.
    public var value: Value { [.string(text), Value(change?.rawValue)] }
  }

  /// - Parameter redact: Whether values under `properties` and `bosh`, and credentials in URLs, are hidden. That they
  ///   differ still shows.
  public static func lines(from old: Value, to new: Value, redact: Bool) -> [Line] {
    var writer = DiffWriter(redacts: redact)
    writer.sections(old.object ?? [:], new.object ?? [:])
    return writer.lines
  }

  /// The lines as the API has them.
  public static func value(_ lines: [Line]) -> Value { .array(lines.map(\.value)) }

  /// The documents that make up a deployment as one: those of the cloud config beside the manifest's own keys, and what
  /// runtime configs add at the end of the manifest's lists.
  public static func document(manifest: Value, cloudConfigs: [Value], runtimeConfigs: [Value]) -> Value {
    var document = ValueObject()
    for config in cloudConfigs { append(config, to: &document) }
    append(manifest, to: &document)
    for config in runtimeConfigs { append(config, to: &document) }
    return .object(document)
  }

  private static func append(_ source: Value, to document: inout ValueObject) {
    for (name, value) in source.object ?? [:] {
      switch (document[name], value) {
      case (.array(let first)?, .array(let second)):
        document[name] = .array(first + second.filter { !first.contains($0) })
      case (.object(let first)?, .object(let second)): document[name] = .object(second.merging(first))
      case (nil, _): document[name] = value
      default: break
      }
    }
  }
}
