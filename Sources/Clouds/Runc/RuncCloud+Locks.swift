import Digests
import Files
import Formats
import Processes
import Surroundings

extension RuncCloud {
  /// What calls take turns at.
  enum Lock {
    case vm(String)
    case disk(String)
    case stemcell(String)
    case networks
    case recovery

    /// VMs and disks share a fixed number of lock files, so that none needs to be removed. Two that share one wait for
    /// each other without need, now and then.
    var file: String {
      switch self {
      case .vm(let id): "vm-" + DigestHasher.hex(.sha256, id).prefix(3)
      case .disk(let id): "disk-" + DigestHasher.hex(.sha256, id).prefix(3)
      case .stemcell(let id): "stemcell-" + DigestHasher.hex(.sha256, id).prefix(2)
      case .networks: "networks"
      case .recovery: "recovery"
      }
    }
  }

  /// Holds a lock while the body runs. It keeps out other tasks and other processes alike. Order, where several are
  /// held: recovery, disk, VM, networks.
  func locked<T>(_ lock: Lock, _ body: () async throws -> T) async throws -> T {
    try Files.makeFolder("\(directory)/locks", mode: 0o700)
    let held = try await acquire("\(directory)/locks/\(lock.file)")
    defer { held.release() }
    return try await body()
  }

  /// Waits for a lock file to be free.
  func acquire(_ path: String) async throws -> LockFile {
    var pause = Duration.milliseconds(1)
    while true {
      if let lock = try LockFile.tryAcquire(path) { return lock }
      try await surroundings.sleep(pause)
      pause = min(pause * 2, .milliseconds(20))
    }
  }
}
