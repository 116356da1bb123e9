import Formats

/// The arguments as the system gave them: bytes, of which Swift's are a repaired copy.
enum RawArguments {
  /// - Throws: when one of them is no text, since something else would be meant by its repaired copy.
  static func check() throws {
    let raw = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    for (place, argument) in raw.enumerated().dropFirst() {
      guard let argument, String(validatingCString: argument) == nil else { continue }
      throw DroverError(
        .invalid,
        "argument \(place), '\(String(cString: argument))', is not UTF-8; pass such bytes encoded, by base64 for instance"
      )
    }
  }
}
