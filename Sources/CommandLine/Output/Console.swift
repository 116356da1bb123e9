import Formats
import Glibc

/// Where commands write: results to standard output, progress and remarks to standard error.
enum Console {
  static let isTerminal = isatty(1) == 1
  static let errorIsTerminal = isatty(2) == 1

  static func print(_ text: String) { write(Array("\(text)\n".utf8), to: 1) }
  static func remark(_ text: String) { write(Array("\(text)\n".utf8), to: 2) }

  /// Writes all of it at once, past any buffer: what a script prints is to be seen when it prints it.
  static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return
      }
      rest = rest.dropFirst(count)
    }
  }

  static func printJSON(_ value: Value) { print(JSON.text(value, .pretty)) }

  /// Prints a document as it was written, or as JSON.
  static func printYAML(_ text: String, json: Bool) throws {
    if json { return printJSON(try YAML.parse(text)) }
    write(Array((text.hasSuffix("\n") ? text : "\(text)\n").utf8), to: 1)
  }

  /// Asks whether to go on.
  ///
  /// - Throws: when the answer is not yes.
  static func confirm(_ question: String) throws {
    write(Array("\(question) [yN]: ".utf8), to: 2)
    let answer = readLine()
    if answer == nil { remark("") }
    guard ["y", "yes"].contains(answer?.trimmingBlanks().lowercased()) else {
      throw DroverError(
        .cancelled, "the answer was not yes, and nothing was changed; --non-interactive (-n) does not ask")
    }
  }
}
