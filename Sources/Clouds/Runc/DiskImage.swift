import CLinux
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// A persistent disk whose size is enforced: an ext4 file system in a file, mounted by a loop device in the namespace of
/// its VM alone. The device goes with the last mount, so that neither a VM nor a server that is killed leaves one.
struct DiskImage: Sendable {
  let path: String
  let surroundings: Surroundings

  /// How long a VM that goes may take to let go of it.
  static let patience = Duration.seconds(10)

  /// Makes an empty one and tries whether this machine can mount it. Blocks are taken from the host as they are written.
  ///
  /// - Throws: when there are no loop devices here, or no `mkfs.ext4`; nothing is left then.
  func make(megabytes: Int) async throws {
    do {
      try setSize(megabytes: megabytes)
      try await Command(
        "mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", path
      ).run()
      close(try mount())
    } catch {
      try? Files.remove(path)
      throw error
    }
  }

  /// Shows it at a path in a running VM, when nobody has it any more.
  func attach(to namespace: VMNamespace, at target: String) async throws {
    guard try await waitUntilFree() else {
      throw CloudError(
        .cloudError, "attaching \(path): it is still mounted somewhere, and two mounts of one disk would destroy it")
    }
    let descriptor = try mount()
    defer { close(descriptor) }
    try namespace.move(descriptor, to: target)
  }

  /// Makes it larger while it is attached nowhere.
  func grow(megabytes: Int) async throws {
    guard try await waitUntilFree() else {
      throw CloudError(.cloudError, "resizing \(path): it is mounted; detach it first")
    }
    try setSize(megabytes: megabytes)
    let check = try await Command("e2fsck", "-f", "-p", path).result()
    // 1: something was mended.
    guard [.exited(0), .exited(1)].contains(check.ending) else {
      throw CloudError(.cloudError, "resizing \(path): e2fsck \(check.ending): \(check.lastErrorLines()) \(check.text)")
    }
    try await Command("resize2fs", path).run()
  }

  /// Whether a loop device of this machine holds it.
  var isInUse: Bool { drover_image_in_use(path) == 1 }

  /// - Returns: whether it is free, at once or within ``patience``.
  func waitUntilFree() async throws -> Bool {
    let deadline = surroundings.elapsed() + Self.patience
    while isInUse {
      guard surroundings.elapsed() < deadline else { return false }
      try await surroundings.sleep(.milliseconds(20))
    }
    return true
  }

  /// A mount that has no place yet.
  private func mount() throws -> Int32 {
    let descriptor = drover_image_mount(path)
    guard descriptor >= 0 else { throw systemError("mounting \(path) by a loop device") }
    return descriptor
  }

  private func setSize(megabytes: Int) throws {
    try OpenFile(appending: path, mode: 0o600).truncate(to: Int64(megabytes) << 20)
  }
}
