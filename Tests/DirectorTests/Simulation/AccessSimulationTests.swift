import Blobs
import Formats
import Surroundings
import Testing

@testable import Director

/// `ssh` and `logs` on a deployment that runs.
@Suite struct AccessSimulationTests {
  private func deployed(
    seed: UInt64, _ body: (SimulatedWorld, Director) async throws -> Void
  ) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        let task = try await director.tasks.wait(for: id)
        #expect(task.state == .done, "\(task.result ?? "")")
        world.behaviour.forget()
        try await body(world, director)
      }
    }
  }

  private func order(_ body: Value) throws -> SSHOrder {
    try SSHOrder(deployment: "data", FieldReader(body, at: "request body"))
  }

  private func setup(_ target: Value) throws -> SSHOrder {
    try order(["command": "setup", "params": ["user": "bosh_1", "public_key": "ssh-rsa A\n"], "target": target])
  }

  @Test("A user is made on the instances that are meant, and each answers with its host key and name")
  func ssh() async throws {
    try await deployed(seed: 31) { world, director in
      for (target, count) in [
        (["job": "web", "ids": [], "indexes": []], 3), (["job": "web", "ids": ["1"], "indexes": ["1"]], 1), ([:], 4),
      ] as [(Value, Int)] {
        let id = try await director.ssh(try setup(target), user: "admin")
        let task = try await director.tasks.wait(for: id)
        #expect(task.state == .done && task.result == nil, "\(task.result ?? "")")
        let lines = try await world.lines(id, .result)
        #expect(lines.count == 1)
        let hosts = try JSON.parse(lines[0]).array ?? []
        #expect(hosts.count == count)
        for host in hosts {
          #expect(host["status"] == "success" && host["index"]?.int != nil && host["id"]?.string != nil)
          #expect(host["host_public_key"]?.string?.hasPrefix("ssh-rsa ") == true)
        }
      }
      let cleanup: Value = ["command": "cleanup", "params": ["user_regex": "^bosh_1"], "target": ["job": "db"]]
      world.behaviour.forget()
      _ = try await director.tasks.wait(for: try await director.ssh(try order(cleanup), user: "admin"))
      #expect(world.behaviour.deeds.map(\.name) == ["ssh cleanup ^bosh_1"])
    }
  }

  @Test("When one instance refuses, the user is removed from the others, and the error names the instance")
  func sshFails() async throws {
    try await deployed(seed: 32) { world, director in
      world.behaviour.fail("db ssh")
      let task = try await director.tasks.wait(for: try await director.ssh(try setup([:]), user: "admin"))
      #expect(task.state == .error)
      #expect(task.result?.contains("db/") == true && task.result?.contains("no host key") == true)
      #expect(world.deeds("web") == Array(repeating: ["ssh setup bosh_1", "ssh cleanup ^bosh_1$"], count: 3))
    }
  }

  @Test("What is not there is said with BOSH's numbers, and a command that is none is refused at once")
  func sshErrors() async throws {
    try await deployed(seed: 33) { world, director in
      for (target, text) in [
        (["job": "none"], "Instance group 'none' doesn't exist"),
        (["job": "web", "ids": ["9"]], "web/9' doesn't exist"),
      ] as [(Value, String)] {
        let task = try await director.tasks.wait(for: try await director.ssh(try setup(target), user: "admin"))
        #expect(task.state == .error && task.result?.contains(text) == true, "\(task.result ?? "")")
      }
      #expect(throws: DroverError.self) { try order(["command": "hack", "params": [:]]) }
      #expect(throws: DroverError.self) { try order(["command": "setup", "params": ["user": "bosh_1"]]) }
      let smoke = try await director.tasks.wait(for: try await director.ssh(try setup(["job": "smoke"]), user: "admin"))
      #expect(smoke.result?.contains("has a VM") == true)
    }
  }

  @Test("Logs of one instance are its archive; of several, an archive of theirs; those of ten days ago are gone")
  func logs() async throws {
    try await deployed(seed: 34) { world, director in
      func fetch(_ target: AccessTarget) async throws -> String {
        let id = try await director.fetchLogs(target, in: "data", types: "job", filters: "web/*.log", user: "admin")
        let task = try await director.tasks.wait(for: id)
        #expect(task.state == .done, "\(task.result ?? "")")
        return try #require(task.result)
      }
      let one = try await fetch(AccessTarget(group: "web", ids: ["0"]))
      #expect(try await world.blobs.bytes(one, limit: 100) == Array("logs".utf8))
      let before = try await world.blobs.list().count
      let all = try await fetch(AccessTarget(group: "web"))
      #expect(try await world.blobs.list().count == before + 1)
      let bytes = try await world.blobs.bytes(all, limit: 1 << 20)
      #expect(bytes.prefix(2) == [0x1F, 0x8B])
      try await world.surroundings.sleep(.seconds(11 * 24 * 3600))
      _ = try await fetch(AccessTarget(group: "db"))
      #expect(try await !world.blobs.list().contains { $0 == one || $0 == all })
      await #expect(throws: DroverError.self) {
        try await director.fetchLogs(AccessTarget(), in: "data", types: "secret", filters: "", user: "admin")
      }
    }
  }
}
