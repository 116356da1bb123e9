import Files
public import Formats
import FoundationEssentials
import Logging
import Processes
import Surroundings

/// Persistent disks, which outlive VMs: images of the asked size where the host has loop devices; else folders of the
/// host, whose size is on record and not enforced.
extension RuncCloud {
  /// What is known of a disk, kept in its folder as `disk.json`.
  struct DiskRecord: Sendable, Hashable, Codable {
    var id: String
    var megabytes: Int
    /// Whether it is ``DiskImage``; else, and by default, it is a folder.
    var isImage: Bool?
    /// The VM that it is attached to.
    var vm: String?
    /// What the director told about it, as JSON.
    var metadata: String?
  }

  public func createDisk(megabytes: Int, cloudProperties: ValueObject, vm: String?) async throws -> String {
    try checkConfiguration()
    guard megabytes > 0 else {
      throw CloudError(.cloudError, "creating a disk of \(megabytes) MB: expected more than 0")
    }
    let id = "disk-\(surroundings.identifier())"
    // A disk is there once it has its record.
    try Files.makeFolder(diskFolder(id))
    var isImage = true
    do {
      try await image(id).make(megabytes: megabytes)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      logger.warning(
        "a disk becomes a folder, whose size is not enforced", metadata: ["disk": "\(id)", "reason": "\(error)"])
      try Files.makeFolder("\(diskFolder(id))/data")
      isImage = false
    }
    try write(DiskRecord(id: id, megabytes: megabytes, isImage: isImage))
    return id
  }

  public func deleteDisk(_ disk: String) async throws {
    try await withDisk(disk) { record in
      if let vm = record.vm, try Files.exists(folder(vm).path) {
        throw CloudError(.cloudError, "deleting \(disk): it is attached to \(vm); detach it first")
      }
      try Files.remove("\(diskFolder(disk))/disk.json")
      try await Command("rm", "-rf", "--one-file-system", diskFolder(disk)).run()
    }
  }

  public func hasDisk(_ disk: String) async throws -> Bool {
    try Self.checkID(disk, "disk", .diskNotFound)
    return try Files.exists("\(diskFolder(disk))/disk.json")
  }

  public func attachDisk(_ disk: String, to vm: String) async throws -> Value {
    try await withDisk(disk) { diskRecord in
      try await withVM(vm) { record in
        if let other = diskRecord.vm, other != vm, try Files.exists(folder(other).path) {
          throw CloudError(.cloudError, "attaching \(disk) to \(vm): it is attached to \(other)")
        }
        var diskRecord = diskRecord
        diskRecord.vm = vm
        try write(diskRecord)
        let wasAttached = record.disks.contains(disk)
        var record = record
        if !wasAttached {
          record.disks.append(disk)
          try folder(vm).write(record)
        }
        if let process = runningProcess(record) {
          let namespace = VMNamespace(pid: process.pid)
          if !wasAttached || !namespace.hasMount(VMDisk.path(disk)) { try await show(diskRecord, in: namespace) }
        }
        try updateSettings(of: record)
        return VMDisk.hint(disk)
      }
    }
  }

  public func detachDisk(_ disk: String, from vm: String) async throws {
    try await withDisk(disk) { diskRecord in
      try await withVM(vm) { record in
        guard record.disks.contains(disk) else {
          throw CloudError(.diskNotAttached, "detaching \(disk) from \(vm): it is not attached")
        }
        var record = record
        if let process = runningProcess(record) { try VMNamespace(pid: process.pid).detach(VMDisk.path(disk)) }
        record.disks.removeAll { $0 == disk }
        try folder(vm).write(record)
        try release(disk, from: vm)
        try updateSettings(of: record)
      }
    }
  }

  public func disks(of vm: String) async throws -> [String] { try await withVM(vm) { $0.disks } }

  public func setDiskMetadata(_ disk: String, _ metadata: ValueObject) async throws {
    try await withDisk(disk) { record in
      var record = record
      record.metadata = JSON.text(.object(metadata))
      try write(record)
    }
  }

  public func resizeDisk(_ disk: String, megabytes: Int) async throws {
    try await withDisk(disk) { record in
      guard megabytes >= record.megabytes else {
        throw CloudError(
          .notSupported, "resizing \(disk) from \(record.megabytes) to \(megabytes) MB: disks only grow")
      }
      if record.isImage == true {
        if let vm = record.vm, let owner = try folder(vm).readRecord(), runningProcess(owner) != nil {
          throw CloudError(.cloudError, "resizing \(disk): it is attached to \(vm); detach it first")
        }
        try await image(disk).grow(megabytes: megabytes)
      }
      var record = record
      record.megabytes = megabytes
      try write(record)
    }
  }

  func image(_ disk: String) -> DiskImage {
    DiskImage(path: "\(diskFolder(disk))/disk.img", surroundings: surroundings)
  }

  /// Shows a disk in a running VM, where it is not shown yet.
  private func show(_ disk: DiskRecord, in namespace: VMNamespace) async throws {
    if disk.isImage == true {
      try await image(disk.id).attach(to: namespace, at: VMDisk.path(disk.id))
    } else {
      try namespace.attach("\(diskFolder(disk.id))/data", at: VMDisk.path(disk.id))
    }
  }

  /// Shows all disks of a VM whose container was made and does not run yet.
  func showDisks(of record: VMRecord, in namespace: VMNamespace) async throws {
    for id in record.disks {
      guard let disk = try readDisk(id) else {
        throw CloudError(.diskNotFound, "starting \(record.id): its disk \(id) is gone")
      }
      try await show(disk, in: namespace)
    }
  }

  /// Says that a disk is attached to that VM no more.
  func release(_ disk: String, from vm: String) throws {
    guard var record = try readDisk(disk), record.vm == vm else { return }
    record.vm = nil
    try write(record)
  }

  /// Brings `disks` of the VM's settings document up to date, so that an agent that starts later finds them.
  private func updateSettings(of record: VMRecord) throws {
    let folder = folder(record.id)
    let process = runningProcess(record)
    let stemcell = "\(stemcellFolder(record.stemcell))/rootfs"
    guard var settings = try JSON.parse(Files.read(folder.settings)).object else { return }
    settings["disks"] = SettingsDocument.disks(record.disks)
    let text = Array(JSON.text(.object(settings), .pretty).utf8)
    try Files.replace(folder.settings, with: text)
    if let process {
      try VMNamespace(pid: process.pid).write(SettingsDocument.path, text, mode: 0o600)
    } else {
      try folder.writeLayer(SettingsDocument.path, text, mode: 0o600, stemcell: stemcell)
    }
  }

  private func withDisk<T>(_ disk: String, _ body: (DiskRecord) async throws -> T) async throws -> T {
    try Self.checkID(disk, "disk", .diskNotFound)
    return try await locked(.disk(disk)) {
      guard let record = try readDisk(disk) else { throw CloudError(.diskNotFound, "there is no disk \(disk)") }
      return try await body(record)
    }
  }

  private func readDisk(_ disk: String) throws -> DiskRecord? {
    let path = "\(diskFolder(disk))/disk.json"
    return try Files.bytes(path).map { try JSONDecoder().decode(DiskRecord.self, from: Data($0)) }
  }

  private func write(_ record: DiskRecord) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try Files.replace("\(diskFolder(record.id))/disk.json", with: Array(try encoder.encode(record)))
  }
}
