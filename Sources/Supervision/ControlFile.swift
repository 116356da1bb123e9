import Formats

/// Reads control files of monit 5.2.5 as real jobs carry them (`reference/lifecycle.md 3.1`).
public enum ControlFile {
  /// - Parameter file: its name, for messages.
  /// - Throws: ``DroverError`` with code `invalid`, naming file and line, what was found there and what is allowed.
  public static func parse(_ text: String, file: String) throws -> [ServiceDefinition] {
    var parser = ControlFileParser(tokens: try ControlFileLexer.tokens(text, file: file), file: file)
    return try parser.services()
  }
}
