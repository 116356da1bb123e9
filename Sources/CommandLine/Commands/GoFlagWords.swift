/// Flags of the services of pools as Go's programs take them, with one dash or two: `drover pools reaper -expire=30m`.
enum GoFlagWords {
  private static let services: Set<String> = ["reaper", "janitor", "cleaner", "mason", "metrics"]

  /// The arguments with two dashes before each long flag of a service; what stands behind `--` is another program's.
  static func doubled(_ arguments: [String]) -> [String] {
    guard arguments.count > 2, arguments[0] == "pools", services.contains(arguments[1]) else { return arguments }
    let own = arguments.prefix { $0 != "--" }
    return own.map { word in
      let isLong = word.count > 2 && word.hasPrefix("-") && !word.hasPrefix("--")
      return isLong && word.dropFirst().first?.isLetter == true ? "-" + word : word
    } + arguments.dropFirst(own.count)
  }
}
