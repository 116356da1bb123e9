import AgentProtocol
import Documents
import Formats
import Manifests

/// Going down and coming up with everything that runs: as before and after a reboot.
extension Director {
  /// Starts the task that drains and stops the jobs of all instances, whose VMs are about to be stopped.
  public func drainAll(user: String) async throws -> Int {
    try await tasks.start(
      TaskBoard.Order(type: "drain_server", description: "drain all instances", user: user, request: NoRequest()))
  }

  /// Starts jobs again that were stopped because the server went down.
  func bringBack() async throws {
    guard try await records.power.get("drained") != nil else { return }
    _ = try await tasks.start(
      TaskBoard.Order(
        type: "start_server", description: "start all instances again", user: "drover", request: NoRequest())
    )
  }
}

/// The work of `drain_server` and `start_server` tasks.
struct PowerWork: Sendable {
  let director: Director
  let context: TaskContext

  /// Instances that run and were brought to where they should be.
  private func running() async throws -> [InstanceRecord] {
    try await director.records.instances.list().map(\.body).filter {
      $0.vm?.cid != nil && $0.state == .started && $0.updateCompleted
    }
  }

  func drain() async throws -> String? {
    let instances = try await running()
    try await director.records.power.put("drained", PowerRecord(task: context.id))
    guard !instances.isEmpty else { return nil }
    let stage = context.stage("Stopping instances", total: instances.count)
    _ = try await inParallel(instances, atMost: 32) { instance in
      try await stage.step(instance.label) { reporter in
        var worker = InstanceWorker(
          director: director, context: context, record: instance, spec: nil, order: nil, recipe: "", stemcell: "",
          report: { try await reporter.status($0) })
        try await worker.take([.preStop(.keepVM), .drain(.shutdown), .stop, .postStop])
        try await director.records.instances.put(instance.documentName, instance)
      }
    }
    return nil
  }

  func start() async throws -> String? {
    let instances = try await running()
    if !instances.isEmpty {
      let stage = context.stage("Starting instances", total: instances.count)
      _ = try await inParallel(instances, atMost: 32) { instance in
        try await stage.step(instance.label) { reporter in
          var worker = InstanceWorker(
            director: director, context: context, record: instance, spec: nil, order: nil, recipe: "", stemcell: "",
            report: { try await reporter.status($0) })
          try await worker.take([
            .waitForAgent, .start, .waitUntilRunning(.init(minimum: 0, maximum: 60_000)),
          ])
        }
      }
    }
    try await director.records.power.delete("drained")
    return nil
  }
}

/// The request of a task that needs none.
struct NoRequest: Codable, Sendable {}

/// Kind `power`, named `drained`: jobs stand still because the server went down.
struct PowerRecord: Codable, Sendable {
  var task: Int
}
