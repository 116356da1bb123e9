internal import Formats

/// Where an entry may go and what a link may say. Pure: every way into and out of an archive asks here.
public enum EntryPath {
  /// Paths longer than this are refused; Linux has the same limit.
  static let maximumLength = 4095
  static let maximumPartLength = 255

  static func components(_ path: String) -> [String] {
    path.split(separator: "/").filter { $0 != "." }.map(String.init)
  }

  /// The parts of a path that stays below the folder it is unpacked into.
  ///
  /// - Throws: ``DroverError`` with code `invalid` for absolute paths, `..`, and names that no file can have.
  public static func inside(_ path: String) throws -> [String] {
    func fail(_ why: String) -> DroverError { DroverError(.invalid, "entry '\(path)': \(why)") }
    guard !path.utf8.contains(0) else { throw fail("the name holds a zero byte") }
    guard !path.hasPrefix("/") else { throw fail("an absolute path would leave the folder") }
    guard path.utf8.count <= maximumLength else { throw fail("the path is longer than \(maximumLength) bytes") }
    let parts = components(path)
    for part in parts {
      guard part != ".." else { throw fail("'..' would leave the folder") }
      guard part.utf8.count <= maximumPartLength else { throw fail("a name is longer than \(maximumPartLength) bytes") }
    }
    return parts
  }

  /// Checks that a symbolic link cannot lead out of the folder, whatever other links of the archive say: its text must
  /// be relative, go up only at its beginning, and not further than the link is deep.
  ///
  /// Such links stay inside even one after the other: each `..` is taken from a real folder, and every name leads to
  /// something inside.
  public static func checkLink(at path: String, target: String) throws {
    func fail(_ why: String) -> DroverError {
      DroverError(.invalid, "entry '\(path)': the link to '\(target)' \(why)")
    }
    let depth = try inside(path).count - 1
    guard !target.isEmpty, !target.utf8.contains(0) else { throw fail("is not a path") }
    guard target.utf8.count <= maximumLength else { throw fail("is longer than \(maximumLength) bytes") }
    guard !target.hasPrefix("/") else { throw fail("leads outside: it is absolute") }
    var ups = 0
    var hasName = false
    for part in components(target) {
      if part == ".." {
        guard !hasName else { throw fail("may lead outside: '..' comes after a name") }
        ups += 1
      } else {
        hasName = true
      }
    }
    guard ups <= depth else { throw fail("leads outside") }
  }
}
