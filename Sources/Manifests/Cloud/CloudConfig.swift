public import Formats

/// What a cloud offers: the cloud configs of all names, put together (`reference/director.md B.4`).
public struct CloudConfig: Sendable, Hashable {
  public var azs: [AvailabilityZone]
  public var vmTypes: [VMType]
  public var vmExtensions: [VMType]
  public var diskTypes: [DiskType]
  public var networks: [Network]
  public var compilation: CompilationSettings

  public func az(_ name: String) -> AvailabilityZone? { azs.first { $0.name == name } }
  public func vmType(_ name: String) -> VMType? { vmTypes.first { $0.name == name } }
  public func vmExtension(_ name: String) -> VMType? { vmExtensions.first { $0.name == name } }
  public func diskType(_ name: String) -> DiskType? { diskTypes.first { $0.name == name } }
  public func network(_ name: String) -> Network? { networks.first { $0.name == name } }
}

/// A part of the cloud that can fail by itself.
public struct AvailabilityZone: Sendable, Hashable {
  public var name: String
  public var cloudProperties: ValueObject
  /// Name of a CPI of the CPI config.
  public var cpi: String?
}

/// A kind of VM, or something to add to one.
public struct VMType: Sendable, Hashable {
  public var name: String
  public var cloudProperties: ValueObject
}

/// A kind of persistent disk.
public struct DiskType: Sendable, Hashable {
  public var name: String
  /// MB.
  public var size: Int
  public var cloudProperties: ValueObject
}

/// On which VMs packages are compiled.
public struct CompilationSettings: Sendable, Hashable {
  public enum VM: Sendable, Hashable {
    case request(InstanceGroup.VMRequest)
    case cloudProperties(ValueObject)
  }

  /// How many VMs at once.
  public var workers: Int
  public var network: String
  public var az: String?
  /// Whether a VM compiles one package after the other.
  public var reuseVMs: Bool
  public var vm: VM
  public var vmExtensions: [String]
  public var env: ValueObject
}
