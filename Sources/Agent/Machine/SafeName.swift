import Formats

/// Names that come in messages and become parts of paths.
enum SafeName {
  /// The name, if it names something inside one folder: no slash, no `.` or `..`, no control characters, not empty.
  static func component(_ name: String, _ what: String) throws -> String {
    let isPlain = name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
    guard isPlain, !name.isEmpty, name != ".", name != "..", name.utf8.count <= 255 else {
      throw DroverError(
        .invalid, "\(what) \(printable(name)) is not a plain name; it may not be empty, '.', '..' or contain '/'")
    }
    return name
  }

  /// A disk CID as a file name: those of some clouds contain slashes.
  static func fileName(_ text: String) -> String {
    let safe = text.map { $0 == "/" ? "_" : $0 }
    return safe.allSatisfy { $0 == "." } ? "_" : String(safe)
  }

  private static func printable(_ name: String) -> String { String(name.debugDescription.prefix(200)) }
}
