public import Formats

/// What a VM may use: `cloud_properties` of a VM type on the runc cloud.
///
/// ```yaml
/// cloud_properties: {memory: 512, cpu: 1.5, cpu_shares: 2048, processes: 4096, ephemeral_disk: 10240}
/// ```
public struct VMResources: Sendable, Hashable, Codable {
  /// MB; nil is no limit.
  public var memory: Int?
  /// Processor cores, also a part of one; nil is no limit.
  public var cpu: Double?
  /// Weight against other VMs when there is not enough for all; the kernel's default is 1024.
  public var cpuShares: Int?
  /// How many processes and threads there may be.
  public var processes: Int
  /// MB. Accepted and told, not enforced: the VM's data is a folder of the host.
  public var ephemeralDisk: Int?

  /// - Throws: ``CloudError`` that names the property, when one is not what it must be. Unknown ones are ignored, as
  ///   every CPI does.
  public init(cloudProperties: ValueObject) throws {
    do {
      let reader = try FieldReader(.object(cloudProperties), at: "cloud_properties")
      memory = try reader.optionalInt("memory")
      cpu = try Self.number(reader, "cpu")
      cpuShares = try reader.optionalInt("cpu_shares")
      processes = try reader.optionalInt("processes") ?? 16384
      ephemeralDisk = try reader.optionalInt("ephemeral_disk")
      if let memory, memory < 32 { throw reader.error("memory", "expected at least 32 (MB), found \(memory)") }
      if let cpu, cpu < 0.01 { throw reader.error("cpu", "expected at least 0.01 (cores), found \(cpu)") }
      if let cpuShares, cpuShares < 2 { throw reader.error("cpu_shares", "expected at least 2, found \(cpuShares)") }
      if processes < 16 { throw reader.error("processes", "expected at least 16, found \(processes)") }
    } catch let error as DroverError {
      throw CloudError(.cloudError, error.description)
    }
  }

  private static func number(_ reader: FieldReader, _ name: String) throws -> Double? {
    guard let value = reader.value(name) else { return nil }
    guard let number = value.double else { throw reader.error(name, "expected a number, found \(value.kindName)") }
    return number
  }
}

extension VMSize {
  /// The `cloud_properties` of a VM of this size on the runc cloud.
  var cloudProperties: ValueObject {
    ["cpu": .int(cpus), "memory": .int(memory), "ephemeral_disk": .int(ephemeralDisk)]
  }
}
