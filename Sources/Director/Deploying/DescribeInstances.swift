import AgentProtocol
import Documents
import Formats
import Surroundings

/// The work of a `vms` task: asks every agent for its state, and writes a line per instance or VM to the result
/// (reference/director.md A.5).
struct DescribeInstances: Sendable {
  struct Order: Codable, Sendable {
    var deployment: String
    var vmsOnly: Bool
  }

  let director: Director
  let context: TaskContext
  let order: Order

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: Order.self)
  }

  func run() async throws -> String? {
    let instances = try await director.records.instances(of: order.deployment)
      .filter { !order.vmsOnly || $0.vm?.cid != nil }
    let lines = try await inParallel(instances, atMost: 64) { try await line($0) }
    try await context.output.result(lines.flatMap { JSON.bytes($0) + [0x0A] })
    return nil
  }

  private func line(_ instance: InstanceRecord) async throws -> Value {
    var state: AgentState?
    var jobState: String?
    if let vm = instance.vm, vm.cid != nil {
      do {
        state = try await director.client(vm.agentID).state(full: true, timeout: .milliseconds(2500))
        jobState = state?.jobState.rawValue
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        await context.output.debug("WARN -- \(instance.label): \(error)")
        jobState = "unresponsive agent"
      }
    }
    let stemcell = try await stemcell(instance.vm?.stemcell)
    return [
      "vm_cid": Value(instance.vm?.cid), "active": .bool(instance.vm?.cid != nil),
      "vm_created_at": Value(instance.vm.map { Timestamp(seconds: $0.createdAt).text }), "cloud_properties": [:],
      "disk_cid": Value(instance.disks.first?.cid), "disk_cids": Value(instance.disks.map(\.cid)),
      "ips": Value(instance.addresses.sorted { $0.key < $1.key }.map(\.value)),
      "agent_id": Value(instance.vm?.agentID), "job_name": .string(instance.group), "index": .int(instance.index),
      "job_state": Value(jobState), "state": .string(instance.state.rawValue), "vm_type": nil,
      "vitals": state?.vitals?.value ?? nil, "processes": .array(state?.processes.map(\.value) ?? []),
      "az": Value(instance.az), "id": .string(instance.id), "bootstrap": .bool(instance.bootstrap), "ignore": false,
      "resurrection_paused": false, "stemcell": stemcell,
    ]
  }

  private func stemcell(_ name: String?) async throws -> Value {
    guard let name, let record = try await director.records.stemcells.get(name)?.body else { return .null }
    return [
      "name": .string(record.name), "version": .string(record.version), "api_version": .int(record.apiVersion),
    ]
  }
}
