/// Flags that every command takes may stand before the verb, as with the `bosh` CLI: `drover -d redis vms`.
enum GlobalFlags {
  private static let withValue: Set<String> = [
    "-e", "--environment", "--ca-cert", "--client", "--client-secret", "-d", "--deployment", "--state",
  ]
  private static let alone: Set<String> = ["-n", "--non-interactive", "--json"]

  /// The arguments with those flags right behind the verb, where the parser looks for them; whatever else stands before
  /// the verb stays there.
  static func behindVerb(_ arguments: [String]) -> [String] {
    var rest = arguments[...]
    var moved: [String] = []
    while let flag = rest.first, flag.hasPrefix("-") {
      if alone.contains(flag) || withValue.contains(where: { flag.hasPrefix("\($0)=") }) {
        moved.append(rest.removeFirst())
      } else if withValue.contains(flag), rest.count > 1 {
        moved += [rest.removeFirst(), rest.removeFirst()]
      } else {
        return arguments
      }
    }
    guard !rest.isEmpty else { return arguments }
    // `run errand` is a verb of two words.
    let verb = rest.prefix(rest.starts(with: ["run", "errand"]) ? 2 : 1)
    return verb + moved + rest.dropFirst(verb.count)
  }
}
