import Formats

/// The command line of `drover-agent` (reference/agent.md 1).
public struct AgentOptions: Sendable, Hashable {
  /// `container`, `dummy` or `ubuntu`.
  public var platform = "container"
  /// Path of agent.json.
  public var configurationPath = ""
  /// `drover`; `monit` means the same here.
  public var jobSupervisor = "drover"
  public var baseDirectory = "/var/vcap"
  /// Print the version and leave.
  public var showsVersion = false

  public init() {}

  static let platforms = ["container", "dummy", "ubuntu"]
  static let supervisors = ["drover", "monit", "dummy"]

  /// - Throws: `DroverError` with code `invalid` and what is allowed.
  public init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      var (name, value) = Self.split(argument)
      func needed() throws -> String {
        if let given = value { return given }
        guard let next = rest.popFirst() else { throw DroverError(.invalid, "\(argument) needs a value") }
        value = next
        return next
      }
      switch name {
      case "P": platform = try needed()
      case "C": configurationPath = try needed()
      case "M": jobSupervisor = try needed()
      case "b": baseDirectory = try needed()
      case "v": showsVersion = true
      case "r": _ = try needed()
      case "no-alerts": break
      default:
        throw DroverError(
          .invalid, "unknown argument '\(argument)'; allowed are -P, -C, -M, -b, -v, -r and -no-alerts")
      }
    }
    guard Self.platforms.contains(platform) else {
      throw DroverError(
        .invalid, "-P \(platform): unknown platform; known are \(Self.platforms.joined(separator: ", "))")
    }
    guard Self.supervisors.contains(jobSupervisor) else {
      throw DroverError(
        .invalid, "-M \(jobSupervisor): unknown supervisor; known are \(Self.supervisors.joined(separator: ", "))")
    }
    guard baseDirectory.hasPrefix("/") else {
      throw DroverError(.invalid, "-b \(baseDirectory): expected an absolute path")
    }
  }

  /// The flag's name without dashes, and the value after `=` if there is one.
  private static func split(_ argument: String) -> (String, String?) {
    let bare = argument.drop { $0 == "-" }
    guard bare.count < argument.count, let equals = bare.firstIndex(of: "=") else {
      return (bare.count < argument.count ? String(bare) : "", nil)
    }
    return (String(bare[..<equals]), String(bare[bare.index(after: equals)...]))
  }
}
