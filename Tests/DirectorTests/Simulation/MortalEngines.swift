import AgentProtocol
import Clouds
import Documents
import Formats
import Messaging
import Sealing

@testable import Director

/// The document store as a server that may die sees it.
struct MortalStore: DocumentStore {
  let store: any DocumentStore
  let fuse: Fuse
  var seal: SealKeys? { store.seal }

  func get(_ kind: String, _ name: String) async throws -> Document? {
    try await fuse.pass { try await store.get(kind, name) }
  }
  func list(_ kind: String, prefix: String) async throws -> DocumentListing {
    try await fuse.pass { try await store.list(kind, prefix: prefix) }
  }
  func commit(_ writes: [Write]) async throws -> Int64 { try await fuse.pass { try await store.commit(writes) } }
  func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges { store.watch(kinds, from: revision) }
  func revision() async throws -> Int64 { try await fuse.pass { try await store.revision() } }
  func close() async throws {}
}

/// Journals as a server that may die sees them: the record that it dies with may be written in part.
struct MortalJournals: Journals {
  let journals: any Journals
  let fuse: Fuse

  func append(_ name: String, _ bytes: [UInt8]) async throws -> Int64 {
    // The record that the server dies with is written in part.
    let torn = Array(bytes.prefix(bytes.count / 2))
    return try await fuse.pass(lastly: { _ = try await journals.append(name, torn) }) {
      try await journals.append(name, bytes)
    }
  }
  func read(_ name: String, from offset: Int64, limit: Int) async throws -> [UInt8] {
    try await fuse.pass { try await journals.read(name, from: offset, limit: limit) }
  }
  func size(_ name: String) async throws -> Int64? { try await fuse.pass { try await journals.size(name) } }
  func wait(_ name: String, beyond size: Int64) async throws -> Int64 { try await journals.wait(name, beyond: size) }
  func sync(_ name: String) async throws { try await fuse.pass { try await journals.sync(name) } }
  func mend(_ name: String) async throws { try await fuse.pass { try await journals.mend(name) } }
  func list(under path: String) async throws -> [String] {
    try await fuse.pass { try await journals.list(under: path) }
  }
  func remove(_ name: String) async throws { try await fuse.pass { try await journals.remove(name) } }
}

/// The bus as a server that may die sees it.
struct MortalBus: MessageBus {
  let bus: any MessageBus
  let fuse: Fuse

  func publish(_ subject: String, _ payload: [UInt8], reply: String?) async throws {
    try await fuse.pass { try await bus.publish(subject, payload, reply: reply) }
  }
  func subscribe(_ subject: String, queue: String?) async throws -> MessageSubscription {
    try await bus.subscribe(subject, queue: queue)
  }
}

/// Identities on the bus as a server that may die sees them.
struct MortalIdentities: AgentIdentities {
  let identities: any AgentIdentities
  let fuse: Fuse

  func issue(_ agentID: String) async throws -> BusSettings {
    try await fuse.pass { try await identities.issue(agentID) }
  }
  func withdraw(_ agentID: String) async throws { try await fuse.pass { try await identities.withdraw(agentID) } }
  func restore(_ agentIDs: [String]) async throws { try await fuse.pass { try await identities.restore(agentIDs) } }
}

/// The cloud as a server that may die sees it.
struct MortalCloud: CloudProvider {
  let cloud: any CloudProvider
  let fuse: Fuse

  func info() async throws -> CloudInfo { try await fuse.pass { try await cloud.info() } }
  func createStemcell(imagePath: String, cloudProperties: ValueObject, tags: ValueObject) async throws -> String {
    try await fuse.pass {
      try await cloud.createStemcell(imagePath: imagePath, cloudProperties: cloudProperties, tags: tags)
    }
  }
  func deleteStemcell(_ stemcell: String) async throws {
    try await fuse.pass { try await cloud.deleteStemcell(stemcell) }
  }
  func createVM(_ request: VMRequest) async throws -> CreatedVM {
    try await fuse.pass { try await cloud.createVM(request) }
  }
  func deleteVM(_ vm: String) async throws { try await fuse.pass { try await cloud.deleteVM(vm) } }
  func hasVM(_ vm: String) async throws -> Bool { try await fuse.pass { try await cloud.hasVM(vm) } }
  func rebootVM(_ vm: String) async throws { try await fuse.pass { try await cloud.rebootVM(vm) } }
  func setVMMetadata(_ vm: String, _ metadata: ValueObject) async throws {
    try await fuse.pass { try await cloud.setVMMetadata(vm, metadata) }
  }
  func calculateVMCloudProperties(_ size: VMSize) async throws -> ValueObject {
    try await fuse.pass { try await cloud.calculateVMCloudProperties(size) }
  }
  func createDisk(megabytes: Int, cloudProperties: ValueObject, vm: String?) async throws -> String {
    try await fuse.pass { try await cloud.createDisk(megabytes: megabytes, cloudProperties: cloudProperties, vm: vm) }
  }
  func deleteDisk(_ disk: String) async throws { try await fuse.pass { try await cloud.deleteDisk(disk) } }
  func hasDisk(_ disk: String) async throws -> Bool { try await fuse.pass { try await cloud.hasDisk(disk) } }
  func attachDisk(_ disk: String, to vm: String) async throws -> Value {
    try await fuse.pass { try await cloud.attachDisk(disk, to: vm) }
  }
  func detachDisk(_ disk: String, from vm: String) async throws {
    try await fuse.pass { try await cloud.detachDisk(disk, from: vm) }
  }
  func disks(of vm: String) async throws -> [String] { try await fuse.pass { try await cloud.disks(of: vm) } }
  func setDiskMetadata(_ disk: String, _ metadata: ValueObject) async throws {
    try await fuse.pass { try await cloud.setDiskMetadata(disk, metadata) }
  }
  func resizeDisk(_ disk: String, megabytes: Int) async throws {
    try await fuse.pass { try await cloud.resizeDisk(disk, megabytes: megabytes) }
  }
}
