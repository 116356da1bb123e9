public import Formats

/// `env` of the settings (reference/agent.md 4). ``raw`` has everything, as it was written.
public struct AgentEnvironment: Sendable, Hashable {
  public let raw: ValueObject

  /// A crypt hash; nil when absent.
  public let password: String?
  public let keepRootPassword: Bool
  public let authorizedKeys: [String]
  public let removeDevTools: Bool
  public let removeStaticLibraries: Bool
  /// In MB; nil when absent.
  public let swapSize: Int?
  public let bus: BusSettings?
  public let blobstores: [BlobstoreSettings]
  /// Overrides the settings' own when present, even empty.
  public let ntp: [String]?
  public let ipv6Enabled: Bool
  public let jobDirectoryOnTmpfs: Bool
  /// Of that tmpfs, as the kernel reads it.
  public let jobDirectorySize: String
  /// Of the tmpfs for run folders.
  public let runDirectorySize: String
  public let settingsOnTmpfs: Bool
  /// Downloads at once in `prepare`.
  public let parallel: Int
  public let persistentDiskFileSystem: String
  public let persistentDiskMountOptions: [String]

  public init() {
    // An empty environment cannot be wrong, so nothing here can throw.
    raw = [:]
    password = nil
    keepRootPassword = false
    authorizedKeys = []
    removeDevTools = false
    removeStaticLibraries = false
    swapSize = nil
    bus = nil
    blobstores = []
    ntp = nil
    ipv6Enabled = false
    jobDirectoryOnTmpfs = false
    jobDirectorySize = "100m"
    runDirectorySize = "16m"
    settingsOnTmpfs = false
    parallel = 5
    persistentDiskFileSystem = ""
    persistentDiskMountOptions = []
  }

  /// - Throws: ``DroverError`` with code `invalid`, naming the member.
  public init(_ raw: ValueObject) throws {
    let env = try FieldReader(.object(raw), at: "env")
    let bosh = try env.optionalReader("bosh") ?? FieldReader([:], at: "env.bosh")
    self.raw = raw
    password = try bosh.optionalString("password")
    keepRootPassword = try bosh.optionalBool("keep_root_password") ?? false
    authorizedKeys = try bosh.strings("authorized_keys")
    removeDevTools = try bosh.optionalBool("remove_dev_tools") ?? false
    removeStaticLibraries = try bosh.optionalBool("remove_static_libraries") ?? false
    swapSize = try bosh.optionalInt("swap_size")
    bus = try bosh.optionalReader("mbus").map(BusSettings.init)
    blobstores = try bosh.readers("blobstores").map(BlobstoreSettings.init)
    ntp = bosh.value("ntp") == nil ? nil : try bosh.strings("ntp")
    ipv6Enabled = try bosh.optionalReader("ipv6")?.optionalBool("enable") ?? false
    let jobDirectory = try bosh.optionalReader("job_dir")
    jobDirectoryOnTmpfs = try jobDirectory?.optionalBool("tmpfs") ?? false
    jobDirectorySize = try jobDirectory?.optionalScalarText("tmpfs_size") ?? "100m"
    runDirectorySize = try bosh.optionalReader("run_dir")?.optionalScalarText("tmpfs_size") ?? "16m"
    settingsOnTmpfs =
      try bosh.optionalReader("agent")?.optionalReader("settings")?.optionalBool("tmpfs") ?? false
    parallel = max(1, try bosh.optionalInt("parallel") ?? 5)
    persistentDiskFileSystem = try env.optionalString("persistent_disk_fs") ?? ""
    persistentDiskMountOptions = try env.strings("persistent_disk_mount_options")
  }
}
