/// Flags of the services of pools as Go's programs take them, with one dash or two: `drover pools reaper -expire=30m`.
enum GoFlagWords {
  private static let services: Set<String> = ["reaper", "janitor", "cleaner", "mason", "metrics"]

  /// Those of them that may be bare.
  private static let switches: Set<String> = ["use-v2-implementation", "in_memory", "profile-memory-usage"]

  /// The arguments with two dashes before each long flag of a service; what stands behind `--` is another program's.
  static func doubled(_ arguments: [String]) -> [String] {
    guard arguments.count > 2, arguments[0] == "pools", services.contains(arguments[1]) else { return arguments }
    let own = arguments.prefix { $0 != "--" }
    return own.compactMap { word in
      let isLong = word.count > 2 && word.hasPrefix("-") && !word.hasPrefix("--")
      return bare(isLong && word.dropFirst().first?.isLetter == true ? "-" + word : word)
    } + arguments.dropFirst(own.count)
  }

  /// A switch without the value that Go allows; nil when that turns it off, as it is then.
  private static func bare(_ word: String) -> String? {
    let parts = word.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, parts[0].hasPrefix("--"), switches.contains(String(parts[0].dropFirst(2))) else {
      return word
    }
    switch parts[1] {
    case "1", "t", "T", "true", "TRUE", "True": return String(parts[0])
    case "0", "f", "F", "false", "FALSE", "False": return nil
    default: return word
    }
  }
}
