import Containers
import Files
public import Formats
import Processes

/// VMs: the calls about them.
extension RuncCloud {
  public func createVM(_ request: VMRequest) async throws -> CreatedVM {
    try checkConfiguration()
    try Self.checkID(request.agentID, "agent", .vmCreationFailed)
    try Self.checkID(request.stemcell, "stemcell", .vmCreationFailed)
    let id = "vm-\(request.agentID)"
    let resources = try VMResources(cloudProperties: request.cloudProperties)
    let networks = try VMNetwork.plan(server: configuration.name, vm: id, settings: request.networks)
    let created = CreatedVM(id: id, networks: SettingsDocument.settings(request.networks, networks))
    return try await locked(.vm(id)) {
      // Asked again for the same agent: the answer may have been lost.
      if let record = try? folder(id).readRecord(), record.phase == .made { return created }
      try await remove(id)
      guard try Files.exists("\(stemcellFolder(request.stemcell))/stemcell.json") else {
        throw CloudError(.vmCreationFailed, "creating \(id): there is no stemcell \(request.stemcell)")
      }
      try await refuseTakenAddresses(networks, of: id)
      let record = VMRecord(
        id: id, agentID: request.agentID, phase: .making, stemcell: request.stemcell, resources: resources,
        networks: networks, disks: [])
      do {
        try await make(record, request)
      } catch {
        try? await remove(id)
        if error is CloudError || error is CancellationError { throw error }
        throw CloudError(.vmCreationFailed, "creating \(id): \(error)")
      }
      return created
    }
  }

  private func make(_ record: VMRecord, _ request: VMRequest) async throws {
    let folder = folder(record.id)
    try folder.make()
    try folder.write(record)
    let settings = SettingsDocument.make(
      request: request, vm: record.id, networks: record.networks, agent: configuration.agent, disks: [])
    try writeFiles(of: record, settings: settings)
    var booted = try await boot(record)
    booted.phase = .made
    try folder.write(booted)
  }

  /// What a VM needs to know of itself, written while it does not run.
  private func writeFiles(of record: VMRecord, settings: ValueObject) throws {
    let folder = folder(record.id)
    let stemcell = "\(stemcellFolder(record.stemcell))/rootfs"
    func write(_ path: String, _ text: String, mode: UInt32 = 0o644) throws {
      try folder.writeLayer(path, Array(text.utf8), mode: mode, stemcell: stemcell)
    }
    let hostname = String(record.agentID.prefix(63))
    let document = JSON.text(.object(settings), .pretty)
    try Files.replace(folder.settings, with: Array(document.utf8))
    try write(SettingsDocument.path, document, mode: 0o600)
    try write("/etc/resolv.conf", record.networks.flatMap(\.dns).map { "nameserver \($0)\n" }.joined())
    try write("/etc/hostname", hostname + "\n")
    try write("/etc/hosts", "127.0.0.1 localhost \(hostname)\n::1 localhost ip6-localhost ip6-loopback\n")
  }

  private func refuseTakenAddresses(_ networks: [VMNetwork], of id: String) async throws {
    for record in try records() where record.id != id && record.phase != .deleting {
      for network in networks {
        guard
          let other = record.networks.first(where: {
            $0.address == network.address && $0.bridge.name == network.bridge.name
          })
        else { continue }
        throw CloudError(
          .vmCreationFailed, "creating \(id): the address \(other.address) is in use by \(record.id)")
      }
    }
  }

  public func deleteVM(_ vm: String) async throws {
    try Self.checkID(vm, "VM", .vmNotFound)
    try await locked(.vm(vm)) {
      guard try Files.exists(folder(vm).path) else { throw Self.notFound(vm) }
      try await remove(vm)
    }
  }

  /// Removes a VM and all that belongs to it alone. None there is fine. To be called with its lock.
  func remove(_ vm: String) async throws {
    let folder = folder(vm)
    guard try Files.exists(folder.path) else { return }
    let record = try? folder.readRecord()
    if var record, record.phase != .deleting {
      record.phase = .deleting
      try folder.write(record)
    }
    try await removeContainer(vm)
    for network in record?.networks ?? [] where Files.isVisible("/sys/class/net/\(network.hostInterface)") {
      // The kernel removes it with the namespace, soon; whoever reuses the address must not meet it.
      try? await ip(["link delete dev \(network.hostInterface)"])
    }
    for disk in record?.disks ?? [] { try release(disk, from: vm) }
    try await Command("rm", "-rf", "--one-file-system", folder.path).run()
  }

  public func hasVM(_ vm: String) async throws -> Bool {
    try Self.checkID(vm, "VM", .vmNotFound)
    guard let record = try folder(vm).readRecord() else { return false }
    return record.phase != .deleting
  }

  /// The ids of VMs are those of their agents.
  public func vm(ofAgent agentID: String) async throws -> String? {
    let id = "vm-\(agentID)"
    return try await hasVM(id) ? id : nil
  }

  public func rebootVM(_ vm: String) async throws {
    try await withVM(vm) { record in
      try await halt(record)
      var booted = try await boot(record)
      booted.phase = .made
      try folder(vm).write(booted)
    }
  }

  public func setVMMetadata(_ vm: String, _ metadata: ValueObject) async throws {
    try await withVM(vm) { record in
      var record = record
      record.metadata = JSON.text(.object(metadata))
      try folder(vm).write(record)
    }
  }

  public func calculateVMCloudProperties(_ size: VMSize) async throws -> ValueObject { size.cloudProperties }

  /// Runs a command in a VM as root, for people who look into it. It is not looked after further: what it leaves
  /// running stays in the VM.
  /// - Returns: its exit status (128 + signal when a signal ended it) and what it wrote.
  public func exec(
    _ vm: String, _ arguments: [String]
  ) async throws -> (status: Int, output: [UInt8], errors: [UInt8]) {
    guard let record = try folder(vm).readRecord(), runningProcess(record) != nil else {
      throw CloudError(.vmNotFound, "running \(arguments.first ?? "") in \(vm): there is no such VM running")
    }
    let arguments = runc.arguments(
      for: .exec(
        id: vm, terminal: false, environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        user: nil, arguments: arguments), log: "/dev/stderr")
    let result = try await Command([configuration.runc] + arguments).result()
    return (result.status, result.output, result.errors)
  }

  /// Does something with a VM that is there, in turn with other calls about it.
  func withVM<T>(_ vm: String, _ body: (VMRecord) async throws -> T) async throws -> T {
    try Self.checkID(vm, "VM", .vmNotFound)
    return try await locked(.vm(vm)) {
      guard let record = try folder(vm).readRecord(), record.phase != .deleting else { throw Self.notFound(vm) }
      return try await body(record)
    }
  }

  static func notFound(_ vm: String) -> CloudError { CloudError(.vmNotFound, "there is no VM \(vm)") }

  /// The records of all VMs that can be read, by id.
  func records() throws -> [VMRecord] {
    try Files.names(in: "\(directory)/vms").compactMap { try? folder($0).readRecord() }
  }

  /// Every VM, by id.
  public func vms() async throws -> [VMStatus] {
    let layout = Cgroups.layout()
    return try records().map { record in
      let process = runningProcess(record)
      let usage = layout?.memoryUsageFile(of: cgroup(record.id)).flatMap(Files.textIfPresent)
      return VMStatus(
        id: record.id, agentID: record.agentID, state: Self.state(record, runs: process != nil),
        addresses: record.networks.map(\.address), pid: process?.pid,
        memory: process == nil ? nil : usage.flatMap { Int($0.filter { !$0.isWhitespace }) }, disks: record.disks)
    }
  }

  private static func state(_ record: VMRecord, runs: Bool) -> VMStatus.State {
    switch record.phase {
    case .making, .deleting: .unfinished
    case .stopped: .stopped
    case .made: runs ? .running : .failed
    }
  }
}
