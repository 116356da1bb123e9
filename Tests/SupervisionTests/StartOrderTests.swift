import Files
import Formats
import Processes
import TestSupport
import Testing

@testable import Supervision

@Suite(.timeLimit(.minutes(10))) struct StartOrderTests {
  /// What each service needs to be ready before it is.
  private static let needs = [
    "database": [], "cache": [], "api": ["database", "cache"], "worker": ["api"], "router": ["api", "worker"],
  ]

  /// A service that starts and stays, and says that it is ready once all that it needs say so.
  private static func service(_ name: String, _ vm: FakeVM, declares: Bool) throws -> ServiceDefinition {
    let needed = (needs[name] ?? []).sorted().map { "\(vm.folder)/ready-\($0)" }
    let condition = needed.map { "[ -e \($0) ]" }.joined(separator: " && ")
    let body = needed.isEmpty ? ":" : "until \(condition); do sleep 0.05; done"
    return try vm.service(
      name, dependencies: declares ? (needs[name] ?? []).sorted() : [],
      start: "( \(body); touch \(vm.folder)/ready-\(name); exec sleep 1000 ) & echo $! > \(vm.pidfile(name))")
  }

  @Test(
    "jobs that depend on each other may be started in any order: all run in the end, and become ready from below",
    arguments: [1, 2, 3, 4, 5, 6] as [UInt64], [false, true])
  func shuffled(seed: UInt64, declares: Bool) async throws {
    try await FakeVM.with { vm in
      var random = SeededRandom(seed: seed)
      let order = Self.needs.keys.sorted().shuffled(using: &random)
      let supervisor = try vm.supervisor()
      try await supervisor.load(try order.map { try Self.service($0, vm, declares: declares) })
      if declares {
        try await supervisor.startAll()
      } else {
        // Nobody tells the supervisor who needs whom: each is started when its turn comes.
        for name in order { try await supervisor.start(name) }
      }
      try await until { await supervisor.jobState() == .running }
      try await until { try Self.needs.keys.allSatisfy { try Files.exists("\(vm.folder)/ready-\($0)") } }
      // None was started twice, and none died for want of another.
      #expect(vm.events.sorted() == Self.needs.keys.sorted().map { "start \($0)" })
      #expect(Self.needs.keys.allSatisfy { vm.process($0)?.isAlive == true })
      if declares {
        let started = vm.events.map { String($0.dropFirst("start ".count)) }
        for (name, needed) in Self.needs {
          let place = started.firstIndex(of: name) ?? 0
          #expect(needed.allSatisfy { (started.firstIndex(of: $0) ?? .max) < place }, "\(started)")
        }
      }
      await supervisor.close()
    }
  }
}
