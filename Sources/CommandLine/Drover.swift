public import ArgumentParser
import Formats
import Glibc
import Processes

/// The `drover` command.
public struct Drover: AsyncParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "drover",
    abstract: "Run BOSH releases on this machine, or on a director far away.",
    discussion: """
      Without --environment, commands talk to the server that 'drover up' started on this machine. Verbs and flags are \
      those of the bosh CLI where it has the command. Flags that every command takes may also stand before the verb:
      drover -d redis vms.
      """,
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(
        name: "This machine's server:",
        subcommands: [
          Up.self, Down.self, Status.self, SystemdUnitCommand.self, BuildStemcell.self, ServeRegistry.self,
        ]),
      CommandGroup(
        name: "Releases and stemcells:",
        subcommands: [
          InitJob.self, Lint.self, CreateRelease.self, BuildBPMRelease.self, UploadRelease.self, Releases.self,
          InspectRelease.self, DeleteRelease.self,
          UploadStemcell.self, Stemcells.self, DeleteStemcell.self, BlobsCommand.self,
        ]),
      CommandGroup(
        name: "Configs:",
        subcommands: [
          UpdateCloudConfig.self, CloudConfigCommand.self, UpdateRuntimeConfig.self, RuntimeConfigCommand.self,
          UpdateConfig.self, ConfigCommand.self, Configs.self, DeleteConfig.self,
        ]),
      CommandGroup(
        name: "Deployments:",
        subcommands: [
          Deploy.self, Deployments.self, Manifest.self, TranslateManifest.self,
          Instances.self, VMs.self, DeleteDeployment.self, Disks.self,
        ]),
      CommandGroup(
        name: "Variables:",
        subcommands: [
          Variables.self, VariableCommand.self, SetVariable.self, RotateVariable.self, DeleteVariable.self,
        ]),
      CommandGroup(
        name: "Instances:",
        subcommands: [
          SSH.self, SCP.self, Logs.self, Start.self, Stop.self, Restart.self, Recreate.self,
        ]),
      CommandGroup(
        name: "Errands:",
        subcommands: [
          Errands.self, RunErrand.self, Attach.self, ErrandRuns.self, Schedules.self, RunSchedule.self,
          PauseSchedule.self, ResumeSchedule.self,
        ]),
      CommandGroup(name: "Pools:", subcommands: [Lease.self, PoolsCommand.self]),
      CommandGroup(
        name: "Tasks and server:", subcommands: [TasksCommand.self, TaskCommand.self, CancelTask.self, Env.self]),
    ])

  public init() {}

  /// The words as the parser reads them, the verb first.
  private static func plain(_ words: [String]) -> [String] {
    ErrandWords.plain(GlobalFlags.behindVerb(JoinedFlags.apart(words)))
  }

  /// The command that these words mean.
  static func parsed(_ words: [String]) throws -> any ParsableCommand {
    let (own, script) = ErrandWords.apart(plain(words))
    let command = try parseAsRoot(GoFlagWords.doubled(own))
    guard var errand = command as? RunErrand else { return command }
    errand.arguments = script
    return errand
  }

  /// What is said when the first word is no command.
  static func unknownCommand(_ words: [String]) -> String? {
    guard let word = words.first, !word.hasPrefix("-"), word != "help" else {
      return nil
    }
    let commands = configuration.groupedSubcommands.flatMap(\.subcommands)
    let names = commands.map { $0._commandName } + commands.flatMap { $0.configuration.aliases }
    if names.contains(word) { return nil }
    return "there is no command '\(word)' ('drover --help' lists all)\(NearNames.hint(word, among: names))"
  }

  /// Runs the command line; returns its exit code. Errors are one sentence on standard error.
  public static func run(_ arguments: [String] = Array(CommandLine.arguments.dropFirst())) async -> Int32 {
    let words = plain(arguments)
    let verb = words.first ?? ""
    let failed: Int32 = ErrandWords.endsLikeScript.contains(verb) ? ErrandAttachment.Code.failed : 1
    do {
      try RawArguments.check()
      if let unknown = unknownCommand(words) {
        Console.remark("drover: \(unknown)")
        return ExitCode.validationFailure.rawValue
      }
      var command = try parsed(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return 0
    } catch let code as ExitCode {
      return code.rawValue
    } catch let error as DroverError {
      Console.remark("drover: \(error)")
      return failed
    } catch let error as ValidationError {
      // What a command finds wrong when it has begun; the parser's own have another type.
      Console.remark("drover: \(error.message); see 'drover \(verb) --help'")
      return failed == 1 ? ExitCode.validationFailure.rawValue : failed
    } catch is CancellationError {
      return 130
    } catch {
      // A code of the parser's own could be taken for the script's.
      guard failed != 1, exitCode(for: error) != .success else { exit(withError: error) }
      Console.remark(fullMessage(for: error))
      return failed
    }
  }
}
