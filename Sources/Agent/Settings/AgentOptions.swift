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
  /// Print the usage and leave.
  public var showsHelp = false

  public init() {}

  static let usage = """
    USAGE: drover-agent [-P PLATFORM] [-C FILE] [-M SUPERVISOR] [-b DIRECTORY]
           drover-agent wait-drained JOB[@GROUP/INDEX-OR-ID] [--timeout DURATION]
           monit [options] {arguments}

    The agent on a VM: does what a director asks for, and keeps the services of its jobs running. It runs in the
    foreground and logs to standard error; something must start it again whenever it ends.

      -P PLATFORM    container (if not given), ubuntu, or dummy
      -C FILE        agent.json; DIRECTORY/bosh/agent.json if not given
      -M SUPERVISOR  drover (if not given; monit means the same), or dummy, which supervises nothing
      -b DIRECTORY   the base folder; /var/vcap if not given
      -v             the version
      -h, --help     this text
      -r X, -no-alerts  accepted and ignored

    Exit code: 0 the settings have changed and it is to be started again, or the machine stops and all jobs have been
    drained and stopped; 1 on SIGTERM and SIGINT otherwise, and on everything that it cannot mend.

    Other programs in it:
      wait-drained   waits until a job has drained; 'drover-agent wait-drained --help' says more
      runner FOLDER  runs one script for the agent; not for people
      monit          under this name (a link to it), the command for the services of this VM; 'monit -h' says more
    """

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
      case "h", "help": showsHelp = true
      case "r": _ = try needed()
      case "no-alerts": break
      default:
        throw DroverError(
          .invalid,
          "unknown argument '\(argument)'; allowed are -P, -C, -M, -b, -v, -r and -no-alerts (see drover-agent --help)")
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
