/// File patterns as Ruby and Go release tools read them: `*` and `?` stay inside one part of a path, `**/` is any number
/// of folders (also none), `[a-z]` a class (`[^a-z]` or `[!a-z]` its opposite), `{a,b}` alternatives, `\x` the character
/// x itself.
public struct Glob: Sendable, Hashable, CustomStringConvertible {
  private enum Token: Hashable {
    case literal(Character)
    case anyCharacter
    case anyCharacters
    case anyFolders
    case oneOf([ClosedRange<Character>], isNegated: Bool)
  }

  public let description: String
  /// Whether `*` and `?` also match a leading dot of a part. Go's do, Ruby's do not.
  public let matchesHidden: Bool
  private let alternatives: [[Token]]

  /// - Throws: ``DroverError`` with code `invalid` when a bracket or brace is not closed, or there are too many
  ///   alternatives.
  public init(_ pattern: String, matchesHidden: Bool = true) throws {
    description = pattern
    self.matchesHidden = matchesHidden
    alternatives = try Self.expandBraces(Array(pattern), pattern).map { try Self.tokens($0, pattern) }
  }

  /// Whether the whole of this path, whose parts are joined by `/`, matches.
  public func matches(_ path: String) -> Bool {
    let characters = Array(path)
    return alternatives.contains { tokens in
      var failed: Set<Int> = []
      return matches(tokens, 0, characters, 0, &failed)
    }
  }

  /// The folder names before the first part that holds a pattern: where a search has to begin.
  public var fixedPrefix: String {
    let parts = description.split(separator: "/", omittingEmptySubsequences: false)
    let fixed = parts.dropLast().prefix { !$0.contains { "*?[{\\".contains($0) } }
    return fixed.joined(separator: "/")
  }

  /// Whether there is nothing but a name in it.
  public var isLiteral: Bool { !description.contains { "*?[{\\".contains($0) } }

  private func matches(
    _ tokens: [Token], _ token: Int, _ path: [Character], _ position: Int, _ failed: inout Set<Int>
  ) -> Bool {
    guard token < tokens.count else { return position == path.count }
    let key = token * (path.count + 1) + position
    if failed.contains(key) { return false }
    let isMatch = step(tokens, token, path, position, &failed)
    if !isMatch { failed.insert(key) }
    return isMatch
  }

  private func step(
    _ tokens: [Token], _ token: Int, _ path: [Character], _ position: Int, _ failed: inout Set<Int>
  ) -> Bool {
    let isPartStart = position == 0 || path[position - 1] == "/"
    let isHidden = !matchesHidden && isPartStart && position < path.count && path[position] == "."
    switch tokens[token] {
    case .literal(let character):
      return position < path.count && path[position] == character
        && matches(tokens, token + 1, path, position + 1, &failed)
    case .anyCharacter:
      return position < path.count && path[position] != "/" && !isHidden
        && matches(tokens, token + 1, path, position + 1, &failed)
    case .oneOf(let ranges, let isNegated):
      return position < path.count && path[position] != "/" && !isHidden
        && ranges.contains { $0.contains(path[position]) } != isNegated
        && matches(tokens, token + 1, path, position + 1, &failed)
    case .anyCharacters:
      if isHidden { return matches(tokens, token + 1, path, position, &failed) }
      var next = position
      while true {
        if matches(tokens, token + 1, path, next, &failed) { return true }
        guard next < path.count, path[next] != "/" else { return false }
        next += 1
      }
    case .anyFolders:
      var next = position
      while true {
        if matches(tokens, token + 1, path, next, &failed) { return true }
        if !matchesHidden, next < path.count, path[next] == "." { return false }
        guard let slash = path[next...].firstIndex(of: "/") else { return false }
        next = slash + 1
      }
    }
  }

  private static func tokens(_ characters: [Character], _ pattern: String) throws -> [Token] {
    var tokens: [Token] = []
    var position = 0
    while position < characters.count {
      let character = characters[position]
      position += 1
      switch character {
      case "?": tokens.append(.anyCharacter)
      case "\\" where position < characters.count:
        tokens.append(.literal(characters[position]))
        position += 1
      case "[":
        let (token, next) = try characterClass(characters, position, pattern)
        tokens.append(token)
        position = next
      case "*":
        var stars = 1
        while position < characters.count, characters[position] == "*" {
          stars += 1
          position += 1
        }
        let begin = position - stars
        let isWholePart = begin == 0 || characters[begin - 1] == "/"
        if stars == 2, isWholePart, position < characters.count, characters[position] == "/" {
          tokens.append(.anyFolders)
          position += 1
        } else if stars == 2, isWholePart, position == characters.count {
          tokens += [.anyFolders, .anyCharacters]
        } else {
          tokens.append(.anyCharacters)
        }
      default: tokens.append(.literal(character))
      }
    }
    return tokens
  }

  private static func characterClass(
    _ characters: [Character], _ start: Int, _ pattern: String
  ) throws -> (Token, next: Int) {
    var position = start
    let isNegated = position < characters.count && (characters[position] == "^" || characters[position] == "!")
    if isNegated { position += 1 }
    var ranges: [ClosedRange<Character>] = []
    while position < characters.count, characters[position] != "]" || ranges.isEmpty {
      if characters[position] == "\\", position + 1 < characters.count { position += 1 }
      let low = characters[position]
      position += 1
      if position + 1 < characters.count, characters[position] == "-", characters[position + 1] != "]" {
        let high = characters[position + 1]
        guard low <= high else {
          throw DroverError(.invalid, "pattern '\(pattern)': range \(low)-\(high) is backwards")
        }
        ranges.append(low...high)
        position += 2
      } else {
        ranges.append(low...low)
      }
    }
    guard position < characters.count else { throw DroverError(.invalid, "pattern '\(pattern)': '[' is not closed") }
    return (.oneOf(ranges, isNegated: isNegated), position + 1)
  }

  /// Every text that the alternatives in braces stand for, at most 1,000.
  private static func expandBraces(_ characters: [Character], _ pattern: String) throws -> [[Character]] {
    guard let open = unescaped("{", in: characters, from: 0) else { return [characters] }
    var depth = 0
    var parts: [[Character]] = [[]]
    var position = open + 1
    while position < characters.count {
      let character = characters[position]
      if character == "\\", position + 1 < characters.count {
        parts[parts.count - 1] += [character, characters[position + 1]]
        position += 2
        continue
      }
      if character == "}", depth == 0 { break }
      if character == ",", depth == 0 {
        parts.append([])
      } else {
        depth += character == "{" ? 1 : character == "}" ? -1 : 0
        parts[parts.count - 1].append(character)
      }
      position += 1
    }
    guard position < characters.count else { throw DroverError(.invalid, "pattern '\(pattern)': '{' is not closed") }
    var expanded: [[Character]] = []
    for part in parts {
      expanded += try expandBraces(characters[..<open] + part + characters[(position + 1)...], pattern)
      guard expanded.count <= 1_000 else {
        throw DroverError(.tooLarge, "pattern '\(pattern)' stands for more than 1000 alternatives")
      }
    }
    return expanded
  }

  private static func unescaped(_ wanted: Character, in characters: [Character], from start: Int) -> Int? {
    var position = start
    while position < characters.count {
      if characters[position] == "\\" {
        position += 2
        continue
      }
      if characters[position] == wanted { return position }
      position += 1
    }
    return nil
  }
}
