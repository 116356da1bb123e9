import Formats
import Manifests
import TestSupport
import Testing

@testable import Director

@Suite struct ScheduleDeciderTests {
  private static let noon = 1_800_014_400  // 2027-01-15 12:00:00 UTC

  private func decider(_ keys: String = "", cron: String = "*/10 * * * *") throws -> ScheduleDecider {
    let text =
      "name: d\nreleases: []\nstemcells: []\n"
      + "update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1, update_watch_time: 1}\ninstance_groups: []\n"
      + "errands: [{name: a, schedule: {cron: '\(cron)'\(keys.isEmpty ? "" : ", " + keys)}}]"
    let entry = try #require(try DeploymentManifest(YAML.parse(text)).errands.first)
    return ScheduleDecider(schedule: try #require(entry.schedule), zone: .utc, name: "d/a")
  }

  @Test(
    "What is done when a tick has come, by how late it is and what still runs",
    arguments: [
      // keys, seconds after noon, running, started tick after noon, reason
      ("", 0, 0, 0, nil), ("", 60, 0, 0, nil), ("", 61, 0, nil, "no server ran"),
      ("missed: run-once", 599, 0, 0, nil),
      ("missed: run-once", 3 * 86_400 + 5, 0, 3 * 86_400, nil),
      ("missed: run-once, missed_limit: 2m", 120, 0, 0, nil),
      ("missed: run-once, missed_limit: 2m", 121, 0, nil, "no server ran for longer than 2m00s"),
      ("", 605, 1, nil, "the run before had not ended"), ("overlap: queue", 600, 1, 600, nil),
      ("overlap: queue", 600, 2, nil, "a run was waiting already"),
      ("overlap: replace", 600, 3, 600, nil),
    ] as [(String, Int, Int, Int?, String?)])
  func decisions(_ keys: String, _ later: Int, _ running: Int, _ start: Int?, _ reason: String?)
    throws
  {
    let decision = try #require(
      try decider(keys).decide(decided: Self.noon - 600, running: running, now: Self.noon + later))
    #expect(decision.start.map { $0 - Self.noon } == start)
    #expect(decision.skipReason == reason)
    #expect(decision.decided == Self.noon + later / 600 * 600)
  }

  @Test("Between ticks there is nothing to do, nor when the clock has gone back")
  func nothing() throws {
    #expect(try decider().decide(decided: Self.noon, running: 0, now: Self.noon + 599) == nil)
    #expect(try decider().decide(decided: Self.noon, running: 0, now: Self.noon - 7200) == nil)
    #expect(try decider().wake(decided: Self.noon) == Self.noon + 600)
  }

  @Test("A tick's lateness is always the same, within its bound, and differs from tick to tick")
  func jitter() throws {
    let decider = try decider("jitter: 30s")
    var seen: Set<Int> = []
    for index in 0..<200 {
      let tick = Self.noon + index * 600
      let late = decider.due(tick) - tick
      #expect(0...30 ~= late)
      seen.insert(late)
      #expect(decider.decide(decided: tick - 600, running: 0, now: tick + late - 1)?.start == nil)
      #expect(decider.decide(decided: tick - 600, running: 0, now: tick + late)?.start == tick)
      #expect(decider.wake(decided: tick - 600) == tick + late)
    }
    #expect(seen.count > 15)
  }

  @Test("Looked at in whatever steps, each tick is decided once and in order", arguments: 0..<50)
  func once(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let decider = try decider(
      "missed: run-once, jitter: \(seed % 3 == 0 ? 0 : 90)s", cron: "*/7 * * * *")
    var (now, decided) = (Self.noon, Self.noon)
    var started: [Int] = []
    for _ in 0..<300 {
      now += Int.random(
        in: 0...(Int.random(in: 0..<20, using: &random) == 0 ? 200_000 : 900), using: &random)
      guard let decision = decider.decide(decided: decided, running: 0, now: now) else { continue }
      #expect(decision.decided > decided)
      decided = decision.decided
      if let tick = decision.start { started.append(tick) }
      #expect(decider.decide(decided: decided, running: 0, now: now) == nil)
    }
    #expect(started == Array(Set(started)).sorted())
    #expect(started.count > 100)
  }

  @Test(
    "The queue of what wants to be looked at is in order, whatever is changed meanwhile",
    arguments: 0..<20)
  func queue(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var queue = WakeQueue()
    var model: [String: Int] = [:]
    for now in 0..<2000 {
      let name = "s\(Int.random(in: 0..<30, using: &random))"
      let time = Bool.random(using: &random) ? now + Int.random(in: 0..<100, using: &random) : nil
      queue.set(name, time)
      model[name] = time
      #expect(queue.first() == model.values.min())
      let due = model.filter { $0.value <= now }
      #expect(queue.take(until: now).sorted() == due.keys.sorted())
      for name in due.keys { model[name] = nil }
      #expect(model.keys.allSatisfy(queue.isWaiting))
    }
  }
}
