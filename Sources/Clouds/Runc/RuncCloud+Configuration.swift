public import Formats

extension RuncCloud {
  /// Where a runc cloud keeps things and how it names them.
  public struct Configuration: Sendable {
    /// The server's name. Bridges, veth pairs, cgroups and the nft table carry it, so that several servers on one host
    /// do not meet.
    public var name: String
    /// Where everything is kept: `vms/`, `disks/`, `stemcells/`, `runc/`. Absolute.
    public var directory: String
    /// Fallbacks for the settings document of VMs whose `env.bosh` has none: `mbus`, `blobstore`, `ntp`.
    public var agent: ValueObject
    /// The name or path of the runc executable.
    public var runc: String
    /// How long a VM may take to drain and stop its jobs and services before it is killed.
    public var shutdownTimeout: Duration

    public init(
      name: String = "drover", directory: String, agent: ValueObject = [:], runc: String = "runc",
      shutdownTimeout: Duration = .seconds(30)
    ) {
      self.name = name
      self.directory = directory
      self.agent = agent
      self.runc = runc
      self.shutdownTimeout = shutdownTimeout
    }
  }
}
