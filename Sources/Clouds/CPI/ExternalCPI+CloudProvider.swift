public import Formats

extension ExternalCPI: CloudProvider {
  /// - Throws: ``CloudError`` of kind `NotSupported` when the CPI speaks version 1 only: it would need a registry.
  public func info() async throws -> CloudInfo {
    let answer = try await call("info", [], version: nil)
    let version = answer["api_version"]?.int ?? 1
    guard version >= 2 else {
      throw CloudError(
        .notSupported, "the CPI \(configuration.executable) speaks API version \(version); at least 2 is needed")
    }
    return CloudInfo(
      stemcellFormats: answer["stemcell_formats"]?.array?.compactMap(\.string) ?? [],
      apiVersion: min(version, configuration.preferredVersion))
  }

  private func call(_ method: String, _ arguments: [Value]) async throws -> Value {
    try await call(method, arguments, version: configuration.preferredVersion)
  }

  private func unexpected(_ method: String, _ expected: String, _ found: Value) -> CloudError {
    CloudError(.cpiError, "\(method): expected \(expected) as the CPI's result, found \(found.kindName)")
  }

  private func text(_ method: String, _ arguments: [Value]) async throws -> String {
    let answer = try await call(method, arguments)
    guard let text = answer.string, !text.isEmpty else { throw unexpected(method, "an id", answer) }
    return text
  }

  private func truth(_ method: String, _ arguments: [Value]) async throws -> Bool {
    let answer = try await call(method, arguments)
    guard let truth = answer.bool else { throw unexpected(method, "true or false", answer) }
    return truth
  }

  public func createStemcell(
    imagePath: String, cloudProperties: ValueObject, tags: ValueObject
  ) async throws -> String {
    var arguments: [Value] = [.string(imagePath), .object(cloudProperties)]
    if configuration.preferredVersion >= 3 { arguments.append(["tags": .object(tags)]) }
    return try await text("create_stemcell", arguments)
  }

  public func deleteStemcell(_ stemcell: String) async throws {
    _ = try await call("delete_stemcell", [.string(stemcell)])
  }

  public func createVM(_ request: VMRequest) async throws -> CreatedVM {
    let answer = try await call(
      "create_vm",
      [
        .string(request.agentID), .string(request.stemcell), .object(request.cloudProperties),
        .object(request.networks), Value(request.disks), .object(request.env),
      ])
    guard let id = answer.string ?? answer[0]?.string, !id.isEmpty else {
      throw unexpected("create_vm", "an id and networks", answer)
    }
    return CreatedVM(id: id, networks: answer[1]?.object ?? request.networks)
  }

  public func deleteVM(_ vm: String) async throws { _ = try await call("delete_vm", [.string(vm)]) }
  public func hasVM(_ vm: String) async throws -> Bool { try await truth("has_vm", [.string(vm)]) }
  public func rebootVM(_ vm: String) async throws { _ = try await call("reboot_vm", [.string(vm)]) }

  public func setVMMetadata(_ vm: String, _ metadata: ValueObject) async throws {
    _ = try await call("set_vm_metadata", [.string(vm), .object(metadata)])
  }

  public func calculateVMCloudProperties(_ size: VMSize) async throws -> ValueObject {
    let wanted: Value = [
      "cpu": .int(size.cpus), "ram": .int(size.memory), "ephemeral_disk_size": .int(size.ephemeralDisk),
    ]
    let answer = try await call("calculate_vm_cloud_properties", [wanted])
    guard let properties = answer.object else {
      throw unexpected("calculate_vm_cloud_properties", "an object", answer)
    }
    return properties
  }

  public func createDisk(megabytes: Int, cloudProperties: ValueObject, vm: String?) async throws -> String {
    try await text("create_disk", [.int(megabytes), .object(cloudProperties), Value(vm)])
  }

  public func deleteDisk(_ disk: String) async throws { _ = try await call("delete_disk", [.string(disk)]) }
  public func hasDisk(_ disk: String) async throws -> Bool { try await truth("has_disk", [.string(disk)]) }

  public func attachDisk(_ disk: String, to vm: String) async throws -> Value {
    let hint = try await call("attach_disk", [.string(vm), .string(disk)])
    if hint.string?.isEmpty == false || hint.object?.isEmpty == false { return hint }
    throw unexpected("attach_disk", "a disk hint (a string or an object that is not empty)", hint)
  }

  public func detachDisk(_ disk: String, from vm: String) async throws {
    _ = try await call("detach_disk", [.string(vm), .string(disk)])
  }

  public func disks(of vm: String) async throws -> [String] {
    let answer = try await call("get_disks", [.string(vm)])
    guard let disks = answer.array else { throw unexpected("get_disks", "an array of ids", answer) }
    return disks.compactMap(\.string)
  }

  public func setDiskMetadata(_ disk: String, _ metadata: ValueObject) async throws {
    _ = try await call("set_disk_metadata", [.string(disk), .object(metadata)])
  }

  public func resizeDisk(_ disk: String, megabytes: Int) async throws {
    _ = try await call("resize_disk", [.string(disk), .int(megabytes)])
  }
}
