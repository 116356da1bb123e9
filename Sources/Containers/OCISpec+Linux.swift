public import Formats

extension OCISpec {
  public struct Linux: Sendable, Hashable {
    public var namespaces: [Namespace]
    public var resources: Resources
    public var cgroupsPath: String?
    public var rootfsPropagation: String?
    public var maskedPaths: [String]
    public var readonlyPaths: [String]
    public var devices: [Device]
    public var sysctl: [String: String]
    /// The seccomp profile as it stands in config.json.
    public var seccomp: Value?

    public init(
      namespaces: [Namespace] = [], resources: Resources = Resources(), cgroupsPath: String? = nil,
      rootfsPropagation: String? = nil, maskedPaths: [String] = [], readonlyPaths: [String] = [],
      devices: [Device] = [], sysctl: [String: String] = [:], seccomp: Value? = nil
    ) {
      self.namespaces = namespaces
      self.resources = resources
      self.cgroupsPath = cgroupsPath
      self.rootfsPropagation = rootfsPropagation
      self.maskedPaths = maskedPaths
      self.readonlyPaths = readonlyPaths
      self.devices = devices
      self.sysctl = sysctl
      self.seccomp = seccomp
    }
  }

  public struct Namespace: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      case pid, network, mount, ipc, uts, user, cgroup
    }

    public var kind: Kind
    /// An existing one to join; nil makes a new one.
    public var path: String?

    public init(_ kind: Kind, path: String? = nil) {
      self.kind = kind
      self.path = path
    }
  }

  /// Limits. What is nil is left as it is.
  public struct Resources: Sendable, Hashable {
    /// Bytes.
    public var memoryLimit: Int?
    /// Bytes of memory and swap together; equal to the limit means no swap.
    public var memorySwap: Int?
    /// Weight against other containers; 1024 is the kernel's default.
    public var cpuShares: Int?
    /// Microseconds of CPU time in a period.
    public var cpuQuota: Int?
    /// Microseconds.
    public var cpuPeriod: Int?
    public var pidsLimit: Int?
    public var devices: [DeviceRule]

    public init(
      memoryLimit: Int? = nil, memorySwap: Int? = nil, cpuShares: Int? = nil, cpuQuota: Int? = nil,
      cpuPeriod: Int? = nil, pidsLimit: Int? = nil, devices: [DeviceRule] = []
    ) {
      self.memoryLimit = memoryLimit
      self.memorySwap = memorySwap
      self.cpuShares = cpuShares
      self.cpuQuota = cpuQuota
      self.cpuPeriod = cpuPeriod
      self.pidsLimit = pidsLimit
      self.devices = devices
    }
  }

  /// A rule of the device cgroup. What is nil means any.
  public struct DeviceRule: Sendable, Hashable {
    public var allow: Bool
    /// `a`, `b` or `c`.
    public var type: String
    public var major: Int?
    public var minor: Int?
    /// Any of `r`, `w`, `m`.
    public var access: String

    public init(allow: Bool, type: String = "a", major: Int? = nil, minor: Int? = nil, access: String = "rwm") {
      self.allow = allow
      self.type = type
      self.major = major
      self.minor = minor
      self.access = access
    }
  }

  /// A device node to make.
  public struct Device: Sendable, Hashable {
    public var path: String
    public var type: String
    public var major: Int
    public var minor: Int
    public var mode: Int
    public var uid: Int
    public var gid: Int

    public init(path: String, type: String, major: Int, minor: Int, mode: Int = 0o666, uid: Int = 0, gid: Int = 0) {
      self.path = path
      self.type = type
      self.major = major
      self.minor = minor
      self.mode = mode
      self.uid = uid
      self.gid = gid
    }
  }
}
