import Containers
import Files
import Formats
import Processes
public import Surroundings

/// Everything that bpm takes from outside: where the BOSH root is, whom processes run as, which runc.
public struct BPMSetup: Sendable {
  /// Without a slash at its end.
  public var root: String
  /// Whom processes run as; nil looks vcap up in /etc/passwd.
  public var user: ContainerSpec.User?
  public var probe: HostProbe
  public var surroundings: Surroundings

  public init(
    root: String = JobProcess.internalRoot, user: ContainerSpec.User? = nil, probe: HostProbe = HostProbe(),
    surroundings: Surroundings = .system
  ) {
    let clean = CleanPath.clean(root)
    self.root = root.isEmpty ? JobProcess.internalRoot : clean
    self.user = user
    self.probe = probe
    self.surroundings = surroundings
  }

  /// From the environment: `BPM_BOSH_ROOT` moves the root.
  public init(environment: [String: String]) { self.init(root: environment["BPM_BOSH_ROOT"] ?? "") }

  var runcRoot: String { JobProcess.runcRoot(root) }
  var observer: ContainerObserver { ContainerObserver(runcRoot: runcRoot) }

  func vcap() throws -> ContainerSpec.User {
    if let user { return user }
    guard let found = try Accounts.find(user: "vcap") else {
      throw DroverError(.notFound, "user: unknown user vcap: processes run as vcap, which has to be in /etc/passwd")
    }
    return .init(uid: Int(found.id), gid: Int(found.group))
  }

  /// runc as the bpm package has it, else the machine's.
  func runc() throws -> String {
    let packaged = "\(root)/packages/bpm/bin/runc"
    if Files.isVisible(packaged) { return packaged }
    if let found = findProgram("runc") { return found }
    throw DroverError(.notFound, "runc is neither at \(packaged) nor in PATH")
  }

  /// tini's path in containers: as the bpm package has it, else the machine's, whose system folders containers see.
  func tini() throws -> String {
    let packaged = "\(root)/packages/bpm/bin/tini"
    if Files.isVisible(packaged) { return ContainerSpec.packagedTini }
    if let found = findProgram("tini"), ["/bin/", "/sbin/", "/usr/"].contains(where: found.hasPrefix) { return found }
    throw DroverError(.notFound, "tini is neither at \(packaged) nor, in a folder that containers see, in PATH")
  }

  func cgroupsPath(of names: JobProcess) -> String? {
    var features = HostFeatures()
    features.hasSystemd = probe.hasSystemd
    features.ownCgroups = Files.textIfPresent(probe.prefix + "/proc/self/cgroup") ?? ""
    return features.cgroupsPath(of: names)
  }
}
