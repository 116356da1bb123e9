/// A flag of a command, as the original's usage shows it.
struct FlagDefinition: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    case bool, string, int
    /// May be given several times.
    case strings
  }

  var name: String
  var short: Character?
  var kind: Kind
  var usage: String
  var defaultText: String?

  /// What stands behind the name in usages.
  var typeName: String {
    switch kind {
    case .bool: ""
    case .string: "string"
    case .int: "int"
    case .strings: "stringArray"
    }
  }

  static func help(_ command: String) -> FlagDefinition {
    .init(name: "help", short: "h", kind: .bool, usage: "help for \(command)")
  }
  static let version = FlagDefinition(name: "version", short: nil, kind: .bool, usage: "print BPM version")
  static let process = FlagDefinition(name: "process", short: "p", kind: .string, usage: "optional process name")
}

/// A command of bpm: its names, texts and flags.
struct CommandDefinition: Sendable, Hashable {
  var name: String
  /// After `bpm NAME` in the usage line.
  var operands = ""
  var short: String
  var long: String?
  var flags: [FlagDefinition]

  /// As they are shown: by name.
  var allFlags: [FlagDefinition] { (flags + [.help(name)]).sorted { $0.name < $1.name } }

  init(_ name: String, operands: String = "", short: String, long: String? = nil, flags: [FlagDefinition] = []) {
    self.name = name
    self.operands = operands
    self.short = short
    self.long = long
    self.flags = flags
  }

  static let rootText = "A bosh process manager for starting and stopping release jobs"
  static let root = CommandDefinition("bpm", short: rootText)

  /// All commands, by name.
  static let all: [CommandDefinition] = [
    .init("completion", short: "Generate the autocompletion script for the specified shell", long: completionText),
    .init("help", operands: " [command]", short: "Help about any command", long: helpText),
    .init("list", short: "list the state of bpm containers"),
    .init(
      "logs", operands: " <job-name>", short: "streams the logs for a given job",
      flags: [
        .init(name: "all", short: "a", kind: .bool, usage: "show both stdout and stderr"),
        .init(name: "err", short: "e", kind: .bool, usage: "show stderr"),
        .init(name: "follow", short: "f", kind: .bool, usage: "show and follow specified logs"),
        .init(name: "lines", short: "n", kind: .int, usage: "number of lines to show", defaultText: "25"),
        .process,
        .init(name: "quiet", short: "q", kind: .bool, usage: "suppress filename headers"),
      ]),
    .init("pid", operands: " <job-name>", short: "displays the pid for a given job", flags: [.process]),
    .init(
      "run", operands: " <job-name>", short: "runs a bosh process synchronously",
      flags: [
        .init(
          name: "env", short: "e", kind: .strings, usage: "Additional environment variables (format: KEY=VALUE"),
        .init(name: "process", short: "p", kind: .string, usage: "the optional process name"),
        .init(
          name: "volume", short: "v", kind: .strings,
          usage: "Optional list of volumes (format: <path>[:<options>])"),
      ]),
    .init("shell", operands: " <job-name>", short: "start a shell inside the process container", flags: [.process]),
    .init(
      "spec", operands: " <job-name>", short: "prints how a process is isolated, for other schedulers", long: specText,
      flags: [
        .init(
          name: "format", short: nil, kind: .string, usage: "oci, kubernetes or systemd", defaultText: "\"oci\""),
        .process,
      ]),
    .init("start", operands: " <job-name>", short: "starts a BOSH Process", flags: [.process]),
    .init("stop", operands: " <job-name>", short: "stops a BOSH Process", flags: [.process]),
    .init("trace", operands: " <job-name>", short: "traces a BOSH Process", long: traceText, flags: [.process]),
    .init("version", short: "prints the BPM version"),
  ]

  static func named(_ name: String) -> CommandDefinition? { all.first { $0.name == name } }

  private static let helpText = """
    Help provides help for any command in the application.
    Simply type bpm help [path to command] for full details.
    """

  private static let completionText = """
    Generate the autocompletion script for bpm for the specified shell.
    See each sub-command's help for details on how to use the generated script.
    """

  private static let traceText = """

    traces a BOSH Process

      Executes strace with the following options:
        strace -s 100 -f -y -yy -p <process-pid>

      <process-pid> is determined using the 'bpm pid' command

      Note: This command may impact performance.
    """

  private static let specText = """
    prints how a process is isolated, and starts nothing

      oci          the config.json that runc gets
      kubernetes   a Pod
      systemd      a service unit
    """
}
