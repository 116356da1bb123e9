/// `-dNAME` and `-eADDRESS`, as the `bosh` CLI takes them besides `-d NAME`; and a certificate that is given as text,
/// which the parser would take for a flag.
enum JoinedFlags {
  private static let flags = ["-d", "-e"]
  /// Their flags have one dash or two, as those of Boskos's services, and the rest is a command of somebody else.
  private static let others: Set<String> = ["pools", "lease"]
  /// Flags that somebody has given a dash too few: the parser says so.
  private static let long: Set<String> = Set(
    ErrandWords.withValue.union(ErrandWords.alone).filter { $0.hasPrefix("--") })

  /// The arguments with each of them as two. Left alone are: what stands behind `--`, the value of another flag, and what
  /// stands behind the name of an errand that is run, which may be meant for its script.
  static func apart(_ arguments: [String]) -> [String] {
    var plain: [String] = []
    var words: [String] = []
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if let flag = flags.first(where: { isJoined(word, $0) }) {
        plain += [flag, String(word.dropFirst(2))]
        continue
      }
      if word == "--ca-cert", let text = rest.first, text.hasPrefix("-----BEGIN") {
        plain.append("\(word)=\(rest.removeFirst())")
        continue
      }
      plain.append(word)
      if word == "--" { break }
      if ErrandWords.withValue.contains(word) {
        if let value = rest.popFirst() { plain.append(value) }
      } else if !word.hasPrefix("-") {
        words.append(word)
        if isEnd(words) { break }
      }
    }
    return plain + rest
  }

  private static func isJoined(_ word: String, _ flag: String) -> Bool {
    guard word.hasPrefix(flag), word.utf8.count > 2, !word.hasPrefix("\(flag)=") else { return false }
    return !long.contains("-\(word.prefix { $0 != "=" })")
  }

  /// Whether what follows these words is none of our business.
  private static func isEnd(_ words: [String]) -> Bool {
    guard let verb = words.first else { return false }
    if others.contains(verb) { return true }
    return words.count == (words.starts(with: ["run", "errand"]) ? 3 : verb == "run-errand" ? 2 : .max)
  }
}
