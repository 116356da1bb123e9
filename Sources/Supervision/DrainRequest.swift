/// What drain scripts are told (`reference/lifecycle.md 1.3`).
public struct DrainRequest: Sendable, Hashable {
  /// First argument of the first round.
  public enum JobChange: String, Sendable, Hashable {
    case shutdown = "job_shutdown"
    case new = "job_new"
    case changed = "job_changed"
    case checkStatus = "job_check_status"
  }

  /// Second argument of the first round.
  public enum HashChange: String, Sendable, Hashable {
    case new = "hash_new"
    case unchanged = "hash_unchanged"
    case changed = "hash_changed"
  }

  public var jobChange: JobChange
  public var hashChange: HashChange
  /// Packages that are new or differ, by name.
  public var changedPackages: [String]
  /// Size of the persistent disk in MB, now and, when there is a new spec, then.
  public var persistentDisk: Int
  public var nextPersistentDisk: Int?

  public init(
    jobChange: JobChange, hashChange: HashChange, changedPackages: [String] = [], persistentDisk: Int = 0,
    nextPersistentDisk: Int? = nil
  ) {
    self.jobChange = jobChange
    self.hashChange = hashChange
    self.changedPackages = changedPackages.sorted()
    self.persistentDisk = persistentDisk
    self.nextPersistentDisk = nextPersistentDisk
  }

  /// A VM that is to go away or be stopped.
  public static func shutdown(persistentDisk: Int, nextPersistentDisk: Int? = nil) -> DrainRequest {
    DrainRequest(
      jobChange: .shutdown, hashChange: .unchanged, persistentDisk: persistentDisk,
      nextPersistentDisk: nextPersistentDisk)
  }

  /// A spec that a VM has, or is to get, as far as drain scripts are told about it.
  public struct Spec: Sendable, Hashable {
    public var jobs: [String]
    public var configurationHash: String?
    /// Digests by package name.
    public var packages: [String: String]
    public var persistentDisk: Int

    public init(jobs: [String], configurationHash: String?, packages: [String: String], persistentDisk: Int) {
      self.jobs = jobs
      self.configurationHash = configurationHash
      self.packages = packages
      self.persistentDisk = persistentDisk
    }
  }

  /// A change from one spec to another.
  public static func update(from old: Spec, to new: Spec) -> DrainRequest {
    let oldHash = old.configurationHash ?? ""
    return DrainRequest(
      jobChange: old.jobs.isEmpty ? .new : .changed,
      hashChange: oldHash.isEmpty ? .new : oldHash == new.configurationHash ? .unchanged : .changed,
      changedPackages: new.packages.filter { old.packages[$0.key] != $0.value }.map(\.key),
      persistentDisk: old.persistentDisk, nextPersistentDisk: new.persistentDisk)
  }

  /// The arguments of a round; those after the first only ask how far it is.
  func arguments(round: Int) -> [String] {
    if round > 0 { return [JobChange.checkStatus.rawValue, HashChange.unchanged.rawValue] }
    return [jobChange.rawValue, hashChange.rawValue] + changedPackages
  }

  func environment(round: Int) -> [String: String] {
    var variables = ["BOSH_JOB_STATE": "{\"persistent_disk\":\(persistentDisk)}"]
    if round == 0, let next = nextPersistentDisk {
      variables["BOSH_JOB_NEXT_STATE"] = "{\"persistent_disk\":\(next)}"
    }
    return variables
  }

  /// The signed integer that a script printed, blanks around it ignored: seconds to wait, negative to be asked again.
  /// What no clock could count is no answer.
  static func answer(_ output: [UInt8]) -> Int? {
    let text = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard text.count == 1, let number = Int(text[0]), number.magnitude <= 1_000_000_000 else { return nil }
    return number
  }
}
