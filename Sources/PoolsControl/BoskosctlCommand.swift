/// The commands of `boskosctl`, their flags and what is said of them (reference/boskos.md 15).
enum BoskosctlCommand: String, CaseIterable {
  case acquire
  case heartbeat
  case metrics
  case release

  static let globalFlags: [CobraFlags.Flag] = [
    .init(name: "server-url", help: "URL of the Boskos server", isRequired: true),
    .init(name: "username", help: "Username used to access the Boskos server"),
    .init(name: "password-file", help: "The path to password file used to access the Boskos server"),
    .init(name: "owner-name", help: "Name identifying the user of this client", isRequired: true),
  ]

  var flags: [CobraFlags.Flag] {
    switch self {
    case .acquire:
      [
        .init(name: "type", help: "Type of resource to acquire", isRequired: true),
        .init(name: "state", help: "State to acquire the resource in", isRequired: true),
        .init(name: "target-state", help: "Move resource to this state after acquiring", isRequired: true),
        .init(
          name: "timeout", kind: .duration, initial: "0s",
          help: "If set, retry this long until the resource has been acquired"),
      ]
    case .release:
      [
        .init(name: "name", help: "Name of the resource lease to release", isRequired: true),
        .init(name: "target-state", help: "Move resource to this state after releasing", isRequired: true),
      ]
    case .metrics: [.init(name: "type", help: "Type of resource to get metrics for", isRequired: true)]
    case .heartbeat:
      [
        .init(name: "resource", help: "JSON resource lease object to send heartbeat for", isRequired: true),
        .init(name: "period", kind: .duration, initial: "30s", help: "Period to send heartbeats on"),
        .init(name: "timeout", kind: .duration, initial: "5h", help: "How long to send heartbeats for"),
        .init(name: "retries", kind: .int, initial: "10", help: "How many failed heartbeats to tolerate"),
      ]
    }
  }

  var short: String {
    switch self {
    case .acquire: "Acquire resource leases"
    case .release: "Release resource leases"
    case .metrics: "Get metrics on resource states"
    case .heartbeat: "Send a heartbeat for a resource reservation"
    }
  }

  private var long: String {
    switch self {
    case .acquire:
      """
      Leases a resource of a type that is in a state, moves it to another state, and prints it as JSON.

      Without --timeout it is tried once. With it the command waits in line, first come first served, for so long.

        boskosctl acquire --type my-thing --state clean --target-state dirty --timeout 30s
      """
    case .release:
      """
      Hands a leased resource back, in the state that is given.

        boskosctl release --name my-thing --target-state dirty
      """
    case .metrics:
      """
      Prints as JSON how many resources of a type are in which state and with which owner.

        boskosctl metrics --type my-thing
      """
    case .heartbeat:
      """
      Tells the server again and again that a resource is still held. Whoever is silent for long loses his lease.
      Ends with 1 as soon as the server says that the lease is lost.

        resource="$( boskosctl acquire --type my-thing --state clean --target-state dirty )"
        boskosctl heartbeat --resource "${resource}" --period 30s &
      """
    }
  }

  var usage: String {
    "Usage:\n  boskosctl \(rawValue) [flags]\n\nFlags:\n" + CobraFlags.usage(flags, help: rawValue)
      + "\nGlobal Flags:\n" + CobraFlags.usage(Self.globalFlags, help: nil)
  }

  var help: String { "\(long)\n\n\(usage)" }

  static var rootUsage: String {
    let commands =
      allCases.map { ($0.rawValue, $0.short) }
      + [("completion", BoskosctlCompletion.short), ("help", "Help about any command")]
    let lines = commands.sorted { $0.0 < $1.0 }.map { name, short in
      "  \(name)" + String(repeating: " ", count: max(0, 11 - name.count)) + " \(short)\n"
    }
    return "Usage:\n  boskosctl [flags]\n  boskosctl [command]\n\nAvailable Commands:\n\(lines.joined())\nFlags:\n"
      + CobraFlags.usage(globalFlags, help: "boskosctl")
      + "\nUse \"boskosctl [command] --help\" for more information about a command.\n"
  }

  static var rootHelp: String { "Leases resources from a Boskos server, for scripts.\n\n\(rootUsage)" }
}
