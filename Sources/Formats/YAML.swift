/// YAML text to ``Value`` (by way of ``YAMLNode``) and back, by the rules that BOSH's Ruby and its authors rely on.
///
/// Plain scalars follow YAML 1.1 as Psych reads it: `yes`, `no`, `on`, `off` are booleans, `~` is null, integers may be
/// octal, hexadecimal or have underscores; quoted scalars are always strings. Timestamps, dates and symbols stay strings.
/// Anchors, aliases and merge keys work. Only the first document of a stream is read. Reading is bounded: in bytes, in
/// depth, and in the number of nodes that aliases may multiply to.
public enum YAML {
  /// What the reader accepts.
  public struct Options: Sendable, Hashable {
    /// What to do when a mapping has the same key twice.
    public enum DuplicateKeys: Sendable, Hashable {
      /// The last one counts, as in Ruby.
      case lastWins
      /// An error that names both places.
      case refused
    }

    public var duplicateKeys: DuplicateKeys
    /// Texts longer than this are refused.
    public var maximumBytes: Int
    /// Sequences and mappings may be nested this deep.
    public var maximumDepth: Int
    /// Scalars, sequences and mappings, each counted again wherever an alias repeats it.
    public var maximumNodes: Int

    public init(
      duplicateKeys: DuplicateKeys = .lastWins, maximumBytes: Int = 32 << 20, maximumDepth: Int = 256,
      maximumNodes: Int = 2_000_000
    ) {
      self.duplicateKeys = duplicateKeys
      self.maximumBytes = maximumBytes
      self.maximumDepth = maximumDepth
      self.maximumNodes = maximumNodes
    }
  }

  /// The first document of the text; an empty text is `null`.
  ///
  /// - Parameter file: What to call the text in errors, usually a path.
  /// - Throws: ``DroverError`` with code `invalid` or `too_large`, naming file, line and column.
  public static func parse(_ text: String, file: String = "YAML", options: Options = Options()) throws -> Value {
    try parse(Array(text.utf8), file: file, options: options)
  }

  /// The first document of these UTF-8 bytes; no bytes are `null`.
  ///
  /// - Parameter file: What to call the text in errors, usually a path.
  /// - Throws: ``DroverError`` with code `invalid` or `too_large`, naming file, line and column.
  public static func parse(_ bytes: [UInt8], file: String = "YAML", options: Options = Options()) throws -> Value {
    try node(bytes, file: file, options: options)?.value(file: file) ?? .null
  }

  /// The first document of these UTF-8 bytes as it was written; nil when there is none.
  ///
  /// - Parameter file: What to call the text in errors, usually a path.
  /// - Throws: ``DroverError`` with code `invalid` or `too_large`, naming file, line and column.
  public static func node(_ bytes: [UInt8], file: String = "YAML", options: Options = Options()) throws -> YAMLNode? {
    guard bytes.count <= options.maximumBytes else {
      throw DroverError(.tooLarge, "\(file): \(bytes.count) bytes; at most \(options.maximumBytes) are read")
    }
    return try YAMLEvents.reading(bytes, file: file) { events in
      var composer = YAMLComposer(events: events, file: file, options: options)
      return try composer.document()
    }
  }

  /// The value as block YAML, which Ruby, Go and this reader read back as the same value. Ends with a line feed.
  public static func text(_ value: Value) -> String {
    var writer = YAMLWriter()
    writer.document(value)
    return writer.text
  }
}
