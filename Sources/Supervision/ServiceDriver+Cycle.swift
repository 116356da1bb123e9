import Formats
import Logging
import Processes
import Surroundings

/// What is looked at in every cycle. A service that has no tests has no cycles: its process is watched by the system.
extension ServiceDriver {
  private var hasCycles: Bool { !definition.tests.isEmpty || definition.kind.path != nil }

  func keepCycles() {
    if !isMonitored || !hasCycles {
      cycles?.cancel()
      cycles = nil
    } else if cycles == nil {
      cycles = Task { [setting] in
        while !Task.isCancelled {
          // All services look in the same moments, so that they can share what they see.
          let rest = setting.surroundings.elapsed().remainder(of: setting.cycle)
          guard (try? await setting.surroundings.sleep(setting.cycle - rest)) != nil else { return }
          await self.tick()
        }
      }
    }
  }

  private func tick() async {
    guard isMonitored, !isClosed else { return }
    for verdict in limits.tick() { act(verdict) }
    if !limits.isEmpty { remember() }
    guard case .running(let presence) = machine.phase else { return }
    if presence == .thing, !isThere() { return await handle(.died) }
    collected = setting.surroundings.now()
    if tests.tests.isEmpty { return }
    let epoch = machine.epoch
    let outcomes = await probe.look(presence.process)
    // What was seen of a process that has ended meanwhile says nothing about the next one.
    guard machine.epoch == epoch, !isClosed else { return }
    for verdict in tests.judge(outcomes) { act(verdict) }
  }

  private func act(_ verdict: ServiceTests.Verdict) {
    if verdict.isNews { report(verdict.event, verdict.action.alert, verdict.text) }
    switch verdict.action {
    case .alert: break
    case .exec(let program): execute(program, for: verdict)
    case .restart where !definition.restartsByItself:
      setting.logger.warning(
        "a test wants a restart, but start or stop program is missing",
        metadata: ["service": .string(definition.name)])
    case .restart, .start, .stop, .unmonitor:
      let action = verdict.action
      Task { [hooks, name = definition.name] in await hooks.act(action, name) }
    }
  }
}

extension Duration {
  /// What is left when as many whole `other` as possible are taken away.
  fileprivate func remainder(of other: Duration) -> Duration {
    guard other > .zero else { return .zero }
    return self - other * Int((self / other).rounded(.down))
  }
}
