import Formats

/// The command line of `drover-agent wait-drained`.
struct WaitDrainedOptions: Sendable, Hashable {
  var job = ""
  /// Nil for this VM.
  var instance: String?
  var timeout = Duration.seconds(600)
  var baseDirectory = "/var/vcap"
  var showsHelp = false

  static let usage = """
    USAGE: drover-agent wait-drained JOB[@GROUP/INDEX-OR-ID] [--timeout DURATION] [-b DIRECTORY]

    Waits until a job has drained: until its drain script has ended well, or the job is stopped. For drain scripts of
    jobs that may only end when another one is done. A job of another instance is asked about through the director,
    which has to be droverd.

      JOB                 a job of this VM
      JOB@GROUP/INDEX     a job of another instance of this deployment, by its group and index or id
      --timeout DURATION  how long to wait: 30s, 5m, 1h30m, or seconds; 10m if not given
      -b DIRECTORY        instead of /var/vcap

    Exit code: 0 it has drained, 1 its drain failed, there is no such job, or no director answers, 2 the arguments are
    wrong, 124 it has not drained in time.
    """

  /// - Throws: `DroverError` with code `invalid` and what is expected.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    var targets: [String] = []
    while let argument = rest.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      func value() throws -> String {
        if parts.count == 2 { return parts[1] }
        guard let next = rest.popFirst() else { throw DroverError(.invalid, "\(argument) needs a value") }
        return next
      }
      switch parts[0] {
      case "-h", "-help", "--help": showsHelp = true
      case "-timeout", "--timeout": timeout = try Self.duration(value())
      case "-b": baseDirectory = try value()
      case let flag where flag.hasPrefix("-"):
        throw DroverError(.invalid, "unknown argument '\(argument)'; see drover-agent wait-drained --help")
      default: targets.append(argument)
      }
    }
    if showsHelp { return }
    guard targets.count == 1, let target = targets.first else {
      throw DroverError(.invalid, "expected one job, found \(targets.count); see drover-agent wait-drained --help")
    }
    let parts = target.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    job = try SafeName.component(parts[0], "job")
    guard parts.count == 2 else { return }
    let names = parts[1].split(separator: "/", omittingEmptySubsequences: false)
    guard names.count == 2, !names.contains("") else {
      throw DroverError(.invalid, "'\(parts[1])' is no instance; expected GROUP/INDEX or GROUP/ID")
    }
    instance = parts[1]
  }

  private static func duration(_ text: String) throws -> Duration {
    if let seconds = Int(text), (0...1_000_000_000).contains(seconds) { return .seconds(seconds) }
    let duration = try Duration(text: text)
    guard duration >= .zero else { throw DroverError(.invalid, "--timeout \(text): expected no negative duration") }
    return duration
  }
}
