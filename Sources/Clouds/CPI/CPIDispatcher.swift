import Formats

/// Answers CPI requests with a cloud: the other side of ``ExternalCPI``.
public struct CPIDispatcher: Sendable {
  let cloud: any CloudProvider

  public init(_ cloud: any CloudProvider) { self.cloud = cloud }

  /// Makes the call; whatever goes wrong becomes the answer's error.
  public func answer(_ request: CPIRequest) async -> CPIResponse {
    do {
      return CPIResponse(result: try await call(request))
    } catch let error as CloudError {
      return CPIResponse(error: error)
    } catch {
      return CPIResponse(error: CloudError(.cloudError, "\(error)"))
    }
  }

  private func call(_ request: CPIRequest) async throws -> Value {
    let arguments = Arguments(method: request.method, values: request.arguments)
    switch request.method {
    case "info":
      let info = try await cloud.info()
      return ["stemcell_formats": Value(info.stemcellFormats), "api_version": .int(info.apiVersion)]
    case "ping": return "pong"
    case "create_stemcell":
      let tags = arguments.object(2, "env")["tags"]?.object ?? [:]
      return .string(
        try await cloud.createStemcell(
          imagePath: arguments.string(0, "image path"), cloudProperties: arguments.object(1, "cloud properties"),
          tags: tags))
    case "delete_stemcell": try await cloud.deleteStemcell(arguments.string(0, "stemcell"))
    case "create_vm":
      let created = try await cloud.createVM(try arguments.vmRequest())
      if (request.apiVersion ?? 1) < 2 { return .string(created.id) }
      return [.string(created.id), .object(created.networks)]
    case "delete_vm": try await cloud.deleteVM(arguments.string(0, "VM"))
    case "has_vm": return .bool(try await cloud.hasVM(arguments.string(0, "VM")))
    case "reboot_vm": try await cloud.rebootVM(arguments.string(0, "VM"))
    case "set_vm_metadata":
      try await cloud.setVMMetadata(arguments.string(0, "VM"), arguments.object(1, "metadata"))
    case "calculate_vm_cloud_properties":
      return .object(try await cloud.calculateVMCloudProperties(try arguments.vmSize()))
    default: return try await callAboutDisks(request, arguments)
    }
    return .null
  }

  private func callAboutDisks(_ request: CPIRequest, _ arguments: Arguments) async throws -> Value {
    switch request.method {
    case "create_disk":
      return .string(
        try await cloud.createDisk(
          megabytes: arguments.int(0, "size"), cloudProperties: arguments.object(1, "cloud properties"),
          vm: arguments.optionalString(2)))
    case "delete_disk": try await cloud.deleteDisk(arguments.string(0, "disk"))
    case "has_disk": return .bool(try await cloud.hasDisk(arguments.string(0, "disk")))
    case "attach_disk":
      let hint = try await cloud.attachDisk(arguments.string(1, "disk"), to: arguments.string(0, "VM"))
      return (request.apiVersion ?? 1) < 2 ? .null : hint
    case "detach_disk":
      try await cloud.detachDisk(arguments.string(1, "disk"), from: arguments.string(0, "VM"))
    case "get_disks": return Value(try await cloud.disks(of: arguments.string(0, "VM")))
    case "set_disk_metadata":
      try await cloud.setDiskMetadata(arguments.string(0, "disk"), arguments.object(1, "metadata"))
    case "resize_disk":
      try await cloud.resizeDisk(arguments.string(0, "disk"), megabytes: arguments.int(1, "size"))
    default:
      throw CloudError(.notImplemented, "this CPI does not have the method \(request.method)")
    }
    return .null
  }
}

/// The positional arguments of a call.
private struct Arguments {
  let method: String
  let values: [Value]

  private func error(_ index: Int, _ name: String, _ expected: String) -> CloudError {
    let found = values.indices.contains(index) ? values[index].kindName : "none"
    return CloudError(
      .cpiError, "\(method): argument \(index + 1), the \(name): expected \(expected), found \(found)")
  }

  func string(_ index: Int, _ name: String) throws -> String {
    guard values.indices.contains(index), let text = values[index].string else {
      throw error(index, name, "a string")
    }
    return text
  }

  func int(_ index: Int, _ name: String) throws -> Int {
    guard values.indices.contains(index), let number = values[index].int else {
      throw error(index, name, "an integer")
    }
    return number
  }

  func optionalString(_ index: Int) -> String? { values.indices.contains(index) ? values[index].string : nil }

  /// Absent or null is an empty object, as directors send it.
  func object(_ index: Int, _ name: String) -> ValueObject {
    values.indices.contains(index) ? values[index].object ?? [:] : [:]
  }

  func vmRequest() throws -> VMRequest {
    guard values.indices.contains(3), let networks = values[3].object else {
      throw error(3, "networks", "an object")
    }
    return VMRequest(
      agentID: try string(0, "agent id"), stemcell: try string(1, "stemcell"),
      cloudProperties: object(2, "cloud properties"), networks: networks,
      disks: values.indices.contains(4) ? values[4].array?.compactMap(\.string) ?? [] : [], env: object(5, "env"))
  }

  func vmSize() throws -> VMSize {
    let size = object(0, "size")
    guard let cpus = size["cpu"]?.int, let memory = size["ram"]?.int else {
      throw error(0, "size", "an object with cpu, ram and ephemeral_disk_size")
    }
    return VMSize(cpus: cpus, memory: memory, ephemeralDisk: size["ephemeral_disk_size"]?.int ?? 0)
  }
}
