/// What a kind of name may be made of.
public struct NameRule: Sendable, Hashable {
  /// What the name is of, for errors: "release name".
  public let what: String
  /// Characters allowed besides letters and digits.
  public let extra: String
  public let maximumLength: Int

  public init(_ what: String, extra: String, maximumLength: Int = 255) {
    self.what = what
    self.extra = extra
    self.maximumLength = maximumLength
  }

  /// Releases, jobs, packages and their versions: `[-0-9A-Za-z_+.]+` (`reference/director.md E.1`).
  public static let artifact = NameRule("name", extra: "-_+.")
  /// Deployments, instance groups, errands, networks.
  public static let deployment = NameRule("name", extra: "-_.")

  public func allows(_ name: String) -> Bool { problem(with: name) == nil }

  /// - Throws: ``DroverError`` with code `invalid`.
  public func check(_ name: String) throws {
    if let problem = problem(with: name) { throw DroverError(.invalid, "\(what) '\(name)': \(problem)") }
  }

  /// What is wrong with the name, or nil. `.` and `..` are never names: they would leave their folder.
  public func problem(with name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name == "." || name == ".." { return "is not a name" }
    if name.utf8.count > maximumLength { return "is longer than \(maximumLength) characters" }
    for character in name {
      let isAlphanumeric = character.isASCII && (character.isLetter || character.isNumber)
      if !isAlphanumeric, !extra.contains(character) {
        return "may have letters, digits and \(extra.map { "'\($0)'" }.joined(separator: " ")), but not '\(character)'"
      }
    }
    return nil
  }
}
