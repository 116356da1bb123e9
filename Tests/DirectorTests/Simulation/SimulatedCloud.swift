import AgentProtocol
import Clouds
import Formats
import Synchronization

@testable import Director

/// A cloud in memory: makes one VM per agent id, can be slow, can fail, and notes what must never happen.
final class SimulatedCloud: CloudProvider {
  struct VM: Sendable {
    var agentID: String
    var addresses: Set<String>
    var disks: Set<String> = []
  }

  private struct State {
    var vms: [String: VM] = [:]
    var disks: Set<String> = []
    /// How often each agent id got a VM.
    var made: [String: Int] = [:]
    var violations: [String] = []
    var agents: [String: SimulatedAgent] = [:]
  }

  typealias Fault = @Sendable (_ call: String) -> CloudError?

  private let state = Mutex(State())
  private let fault = Mutex<Fault?>(nil)
  private let clock: VirtualClock
  private let makeAgent: @Sendable (String) async throws -> SimulatedAgent

  init(clock: VirtualClock, makeAgent: @escaping @Sendable (String) async throws -> SimulatedAgent) {
    self.clock = clock
    self.makeAgent = makeAgent
  }

  var vms: [String: VM] { state.withLock { $0.vms } }
  var disks: Set<String> { state.withLock { $0.disks } }
  /// How many VMs were made in all.
  var madeCount: Int { state.withLock { $0.made.values.reduce(0, +) } }
  var violations: [String] { state.withLock { $0.violations } }
  /// Makes calls fail; nil for a cloud that works.
  func fail(_ fault: Fault?) { self.fault.withLock { $0 = fault } }

  func agent(_ id: String) -> SimulatedAgent? { state.withLock { $0.agents[id] } }

  private func call(_ name: String) async throws {
    try await clock.sleep(.milliseconds(clock.chance(200)))
    if let error = fault.withLock({ $0 })?(name) { throw error }
  }

  func createVM(_ request: VMRequest) async throws -> CreatedVM {
    try await call("create_vm")
    let id = "vm-\(request.agentID)"
    let addresses = Set(request.networks.compactMap { $0.value["ip"]?.string })
    let isNew = state.withLock { state in
      if state.vms[id] != nil { return false }
      for (other, vm) in state.vms where !vm.addresses.isDisjoint(with: addresses) {
        state.violations.append("\(id) and \(other) have the same address \(addresses)")
      }
      state.vms[id] = VM(agentID: request.agentID, addresses: addresses)
      state.made[request.agentID, default: 0] += 1
      if state.made[request.agentID] ?? 0 > 1 { state.violations.append("\(id) was made again") }
      return true
    }
    if isNew {
      let agent = try await makeAgent(request.agentID)
      state.withLock { $0.agents[request.agentID] = agent }
    }
    return CreatedVM(id: id, networks: request.networks)
  }

  func deleteVM(_ vm: String) async throws {
    try await call("delete_vm")
    let agent = try state.withLock { state in
      guard let gone = state.vms.removeValue(forKey: vm) else {
        throw CloudError(.vmNotFound, "there is no VM \(vm)")
      }
      return state.agents.removeValue(forKey: gone.agentID)
    }
    agent?.end()
  }

  func hasVM(_ vm: String) async throws -> Bool { state.withLock { $0.vms[vm] != nil } }
  func rebootVM(_ vm: String) async throws { try await call("reboot_vm") }

  func setVMMetadata(_ vm: String, _ metadata: ValueObject) async throws {
    try await call("set_vm_metadata")
    guard state.withLock({ $0.vms[vm] }) != nil else { throw CloudError(.vmNotFound, "there is no VM \(vm)") }
  }

  func createDisk(megabytes: Int, cloudProperties: ValueObject, vm: String?) async throws -> String {
    try await call("create_disk")
    return state.withLock { state in
      let id = "disk-\(state.disks.count + 1)"
      state.disks.insert(id)
      return id
    }
  }

  func deleteDisk(_ disk: String) async throws { state.withLock { _ = $0.disks.remove(disk) } }
  func hasDisk(_ disk: String) async throws -> Bool { state.withLock { $0.disks.contains(disk) } }

  func attachDisk(_ disk: String, to vm: String) async throws -> Value {
    try await call("attach_disk")
    return try state.withLock { state in
      guard state.disks.contains(disk) else { throw CloudError(.diskNotFound, "there is no disk \(disk)") }
      guard state.vms[vm] != nil else { throw CloudError(.vmNotFound, "there is no VM \(vm)") }
      for (other, found) in state.vms where other != vm && found.disks.contains(disk) {
        state.violations.append("\(disk) is attached to \(other) and to \(vm)")
      }
      state.vms[vm]?.disks.insert(disk)
      return ["path": .string("/disks/\(disk)")]
    }
  }

  func detachDisk(_ disk: String, from vm: String) async throws {
    try await call("detach_disk")
    try state.withLock { state in
      guard state.vms[vm] != nil else { throw CloudError(.vmNotFound, "there is no VM \(vm)") }
      guard state.vms[vm]?.disks.remove(disk) != nil else {
        throw CloudError(.diskNotAttached, "\(disk) is not attached to \(vm)")
      }
    }
  }

  func info() async throws -> CloudInfo { CloudInfo(stemcellFormats: [], apiVersion: 2) }
  func createStemcell(imagePath: String, cloudProperties: ValueObject, tags: ValueObject) async throws -> String {
    "sc"
  }
  func deleteStemcell(_ stemcell: String) async throws {}
  func calculateVMCloudProperties(_ size: VMSize) async throws -> ValueObject { [:] }
  func disks(of vm: String) async throws -> [String] { state.withLock { $0.vms[vm]?.disks.sorted() ?? [] } }
  func setDiskMetadata(_ disk: String, _ metadata: ValueObject) async throws {}
  func resizeDisk(_ disk: String, megabytes: Int) async throws {}
}

/// Identities on the bus: who has one.
final class SimulatedIdentities: AgentIdentities {
  private let agents = Mutex<Set<String>>([])

  var all: Set<String> { agents.withLock { $0 } }
  func issue(_ agentID: String) async throws -> BusSettings {
    agents.withLock { _ = $0.insert(agentID) }
    return BusSettings(urls: ["memory:"])
  }
  func withdraw(_ agentID: String) async throws { agents.withLock { _ = $0.remove(agentID) } }
  func restore(_ agentIDs: [String]) async throws { agents.withLock { $0.formUnion(agentIDs) } }
}
