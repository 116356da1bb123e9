import Files
import Formats

/// The patterns of unrestricted volumes as Go's `filepath.Glob` reads them: `*`, `?`, `[..]` and `\` in each part of a
/// path, hidden names included. What matches nothing is nothing, also a plain path.
enum VolumeGlob {
  static func expand(_ volumes: [ProcessConfiguration.Volume]) throws -> [ProcessConfiguration.Volume] {
    try volumes.flatMap { volume in
      try paths(volume.path).map { path in
        var found = volume
        found.path = path
        return found
      }
    }
  }

  /// - Throws: ``DroverError`` for a pattern that is none.
  static func check(_ pattern: String) throws { _ = try parts(pattern) }

  private enum Part {
    case name(String)
    case pattern(Glob)
  }

  private static func parts(_ pattern: String) throws -> [Part] {
    try pattern.split(separator: "/").map { part in
      guard part.contains(where: { "*?[\\".contains($0) }) else { return .name(String(part)) }
      do {
        if part.hasSuffix("\\"), !part.hasSuffix("\\\\") { throw DroverError(.invalid, "") }
        return .pattern(try Glob(plain(part)))
      } catch {
        throw DroverError(.invalid, "syntax error in pattern: \(pattern)")
      }
    }
  }

  /// Without the meanings that our patterns have and Go's have not: braces, a leading `!` in a class, `**`.
  private static func plain(_ part: Substring) -> String {
    var text = ""
    var previous: Character?
    var isEscaped = false
    for character in part {
      if isEscaped {
        isEscaped = false
        previous = nil
      } else {
        if character == "*", previous == "*" { continue }
        if "{}".contains(character) || (character == "!" && previous == "[") { text += "\\" }
        isEscaped = character == "\\"
        previous = character
      }
      text.append(character)
    }
    return text
  }

  static func paths(_ pattern: String) throws -> [String] {
    let parts = try parts(pattern)
    guard pattern.hasPrefix("/"), !parts.isEmpty else { return pattern == "/" ? ["/"] : [] }
    var found = [""]
    for part in parts {
      switch part {
      // Links count by themselves, wherever they lead.
      case .name(let name): found = found.map { "\($0)/\(name)" }.filter { (try? Files.isThere($0)) == true }
      case .pattern(let glob):
        found = found.flatMap { folder in
          ((try? Files.names(in: folder.isEmpty ? "/" : folder)) ?? []).filter(glob.matches).map { "\(folder)/\($0)" }
        }
      }
    }
    return found
  }
}
