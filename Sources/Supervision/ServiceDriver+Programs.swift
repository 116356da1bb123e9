import Formats
import Logging
import Processes
import Surroundings

/// Start, stop and other programs.
extension ServiceDriver {
  /// The programs of a service that run since an earlier life of the agent.
  static func running(
    _ definition: ServiceDefinition, _ memory: ServiceMemory?, _ log: ServiceLog
  ) -> [ServiceMachine.Program: ServiceProgramRun] {
    guard let memory, !memory.programs.isEmpty else { return [:] }
    let table = ProcessTable.snapshot()
    var found: [ServiceMachine.Program: ServiceProgramRun] = [:]
    for (program, date) in memory.programs {
      guard let description = program == .start ? definition.start : definition.stop else { continue }
      found[program] = ServiceProgramRun(
        found: description, context(definition, program, Timestamp(seconds: date)), log: log, in: table)
    }
    return found
  }

  private static func context(
    _ definition: ServiceDefinition, _ program: ServiceMachine.Program, _ date: Timestamp
  ) -> ServiceProgramContext {
    ServiceProgramContext(service: definition.name, event: program == .start ? "Started" : "Stopped", date: date)
  }

  func run(_ program: ServiceMachine.Program) {
    if let current = programs[program] {
      // One that still runs does what was asked for.
      if current.isAlive { return }
      // So has one that ended a moment ago, whose end is still to be told.
      if program == .start, presence()?.process != nil { return }
    }
    if let ending = endings[program] {
      let epoch = machine.epoch
      Task {
        await ending.value
        self.run(program, ifStill: epoch)
      }
      return
    }
    guard let description = program == .start ? definition.start : definition.stop else { return }
    let date = intents[program] ?? setting.surroundings.now().seconds
    intents[program] = date
    remember()
    var context = Self.context(definition, program, Timestamp(seconds: date))
    context.pid = known?.pid
    do {
      let run = try ServiceProgramRun(description, context, log: log)
      programs[program] = run
      follow(program, run)
    } catch {
      let problem = "\(error)"
      intents[program] = nil
      Task { await self.handle(.programEnded(program, problem: problem, couldNotRun: true)) }
    }
  }

  private func run(_ program: ServiceMachine.Program, ifStill epoch: Int) {
    if machine.epoch == epoch, !isClosed { run(program) }
  }

  func follow(_ program: ServiceMachine.Program, _ run: ServiceProgramRun) {
    Task {
      let problem = await run.problem()
      await self.ended(program, run, problem)
    }
  }

  private func ended(_ program: ServiceMachine.Program, _ run: ServiceProgramRun, _ problem: String?) async {
    guard programs[program] == run, !isClosed else { return }
    programs[program] = nil
    intents[program] = nil
    await handle(.programEnded(program, problem: problem, couldNotRun: false))
  }

  /// Ends a program that takes too long, with what it has started; nobody waits for it any more.
  func end(_ program: ServiceMachine.Program) {
    guard let run = programs.removeValue(forKey: program) else { return }
    setting.logger.warning(
      "ending a program that takes too long",
      metadata: ["service": .string(definition.name), "program": .string(program.rawValue), "said": .string(run.said)])
    endings[program] = Task {
      await run.end()
      self.hasEnded(program)
    }
  }

  private func hasEnded(_ program: ServiceMachine.Program) {
    endings[program] = nil
    guard programs[program] == nil else { return }
    intents[program] = nil
    remember()
  }

  /// Runs the program of a test; nobody waits for it.
  func execute(_ program: ServiceProgram, for verdict: ServiceTests.Verdict) {
    var context = ServiceProgramContext(
      service: definition.name, event: verdict.event.name, description: verdict.text, date: setting.surroundings.now())
    context.pid = known?.pid
    do {
      let run = try ServiceProgramRun(program, context, log: log)
      Task { [logger = setting.logger, name = definition.name] in
        if let problem = await run.problem() {
          logger.warning(
            "the program of a test failed",
            metadata: [
              "service": .string(name), "program": .string(program.arguments.first ?? ""),
              "problem": .string(problem),
            ])
        }
      }
    } catch {
      report(.executionFailed, .alert, "failed to execute \(program.arguments.first ?? "") (\(error))")
    }
  }
}
