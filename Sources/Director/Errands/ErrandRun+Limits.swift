import AgentProtocol
import Formats

extension ErrandRun {
  /// Longer arguments and variables no program can be started with (Linux, `MAX_ARG_STRLEN`).
  private static let longestWord = (128 << 10) - 1
  /// How much a message to an agent has room for, apart from what goes with it.
  private static let longestRequest = (1 << 20) - (8 << 10)

  /// - Throws: ``Formats/DroverError`` for arguments and variables that no script can be started with.
  func refuseImpossible() throws {
    for (index, argument) in arguments.enumerated() {
      try Self.check("argument \(index + 1)", argument)
    }
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
      let shown = "variable '\(name.prefix(100))'"
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else {
        throw DroverError(.invalid, "\(shown): expected a name that is not empty and has no '=' in it")
      }
      try Self.check(shown, "\(name)=\(value)")
    }
    let size = JSON.bytes(ErrandOptions(arguments: arguments, environment: environment).value).count
    guard size <= Self.longestRequest else {
      throw DroverError(
        .invalid,
        "the arguments and the environment are \(size) bytes long together, at most \(Self.longestRequest) reach a "
          + "script; give it what is longer in a file, or where it can fetch it")
    }
  }

  private static func check(_ what: String, _ text: String) throws {
    guard !text.utf8.contains(0) else {
      throw DroverError(.invalid, "\(what): has a NUL character in it, with which no program can be started")
    }
    guard text.utf8.count <= longestWord else {
      throw DroverError(
        .invalid,
        "\(what): is \(text.utf8.count) bytes long, at most \(longestWord) reach a script; give it what is longer in a "
          + "file, or where it can fetch it")
    }
  }
}
