import Formats
import Testing

@testable import Manifests

/// `on`, `required` and `schedule` of entries of `errands`.
@Suite struct ErrandScheduleTests {
  private func entries(_ text: String) throws -> [ErrandPolicy] {
    try DeploymentManifest(YAML.parse(Fixtures.manifest + "\nerrands:\n" + text)).errands
  }

  @Test("An entry says when it runs, shortly or in full")
  func forms() throws {
    let entries = try entries(
      """
      - {name: a, on: post-deploy}
      - {name: b, on: [pre-delete, post-recreate], required: true}
      - {name: c, schedule: "*/10 * * * *"}
      - name: d
        errand: smoke-tests
        schedule:
          cron: "0 3 * * mon"
          time_zone: Europe/Berlin
          overlap: replace
          jitter: 30s
          missed: run-once
          missed_limit: 6h
          keep_last: 5
          paused: true
      """)
    #expect(entries.map(\.triggers) == [[.postDeploy], [.preDelete, .postRecreate], [], []])
    #expect(entries.map(\.isRequired) == [false, true, false, false])
    let short = try #require(entries[2].schedule)
    #expect(short.cron.text == "*/10 * * * *")
    #expect(
      short.timeZone == "UTC" && short.overlap == .skip && short.missed == .skip
        && short.keepLast == 100)
    #expect(!short.isPaused && short.jitterSeconds == 0)
    let long = try #require(entries[3].schedule)
    #expect(long.timeZone == "Europe/Berlin" && long.overlap == .replace && long.missed == .runOnce)
    #expect(
      long.missedLimitSeconds == 21600 && long.jitterSeconds == 30 && long.keepLast == 5
        && long.isPaused)
  }

  @Test(
    "Mistakes name their place",
    arguments: [
      ("{name: a, on: post-deply}", "errands[0].on: unknown point 'post-deply'"),
      (
        "{name: a, on: [3]}",
        "errands[0].on: unknown point '3'; allowed: post-deploy, pre-delete, post-recreate"
      ),
      ("{name: a, required: true}", "errands[0].required: nothing waits"),
      (
        "{name: a, schedule: '0 0 31 2 *'}",
        "errands[0].schedule: schedule '0 0 31 2 *': it never comes"
      ),
      (
        "{name: a, schedule: {cron: '* *'}}",
        "errands[0].schedule.cron: schedule '* *': expected 5 fields"
      ),
      ("{name: a, schedule: {}}", "errands[0].schedule.cron: missing"),
      ("{name: a, schedule: 3}", "errands[0].schedule: expected an object"),
      (
        "{name: a, schedule: {cron: '@daily', overlap: kill}}",
        "errands[0].schedule.overlap: expected one of 'skip'"
      ),
      (
        "{name: a, schedule: {cron: '@daily', jitter: 2h}}",
        "errands[0].schedule.jitter: expected at most 1h"
      ),
      (
        "{name: a, schedule: {cron: '@daily', keep_last: 0}}",
        "errands[0].schedule.keep_last: expected 1 to 10000"
      ),
      (
        "{name: a, schedule: {cron: '@daily', timezone: UTC}}",
        "errands[0].schedule.timezone: unknown key"
      ),
      (
        "{name: a, schedule: {cron: '@daily', missed_limit: 1h}}",
        "errands[0].schedule.missed_limit: nothing is made up"
      ),
    ])
  func mistakes(_ entry: String, _ expected: String) {
    let error = #expect(throws: DroverError.self) { try entries("- \(entry)") }
    #expect(error.map { "\($0)".contains(expected) } == true, "\(String(describing: error))")
  }
}
