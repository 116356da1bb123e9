import Files
import Formats
import Glibc
import Processes
import Synchronization

/// Files and folders with the owners and modes that other programs rely on (reference/bpm.md 2).
enum SmallFiles {
  static let noSetuid: UInt = 2
  static let noDevices: UInt = 4
  static let noExec: UInt = 8
  static let bindMount: UInt = 4096
  static let sharedMount: UInt = 1 << 20

  static func isRealFolder(_ path: String) -> Bool {
    var information = stat()
    return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }

  /// Makes a folder and those above it that are missing. Folders that everybody has to pass stay passable, whoever makes
  /// them first: the root itself, `data`, `store`, `jobs`, `packages`, `sys` and what is directly in it.
  ///
  /// - Parameter owner: of the last folder.
  static func makeFolder(_ path: String, root: String, mode: UInt32 = 0o700, owner: ContainerSpec.User? = nil) throws {
    try make(path, root, mode)
    guard let owner else { return }
    if chown(path, uid_t(owner.uid), gid_t(owner.gid)) != 0 { throw systemError("chown \(path)") }
  }

  private static func make(_ path: String, _ root: String, _ mode: UInt32) throws {
    let isPassage = passages(root).contains(path) || !CleanPath.isAtOrBelow(path, root)
    if mkdir(path, isPassage ? 0o755 : mode) == 0 {
      // The caller's umask must not shut others out.
      if isPassage { chmod(path, 0o755) }
      return
    }
    switch errno {
    case EEXIST where FileFacts(path)?.kind == .folder: return
    case ENOENT:
      guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { break }
      try make(String(path[..<slash]), root, mode)
      if mkdir(path, isPassage ? 0o755 : mode) == 0 || errno == EEXIST {
        if isPassage { chmod(path, 0o755) }
        return
      }
    default: break
    }
    throw systemError("mkdir \(path)")
  }

  private static func passages(_ root: String) -> Set<String> {
    Set(
      ["", "/data", "/store", "/jobs", "/packages", "/sys", "/sys/run", "/sys/log", "/data/packages"].map { root + $0 })
  }

  /// A log file, made when it is not there, opened for appending and given to its owner. Links are refused.
  static func openLog(_ path: String, owner: ContainerSpec.User) throws -> OpenDescriptor {
    let fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard fd >= 0 else {
      if errno == ELOOP {
        throw DroverError(
          .forbidden, "refusing to open symlink at \(path): open \(path): too many levels of symbolic links")
      }
      throw systemError("open \(path)")
    }
    let descriptor = OpenDescriptor(fd)
    if fchown(fd, uid_t(owner.uid), gid_t(owner.gid)) != 0 { throw systemError("chown \(path)") }
    return descriptor
  }

  /// Writes a whole file anew.
  static func write(_ path: String, _ bytes: [UInt8], mode: UInt32) throws {
    let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard fd >= 0 else { throw systemError("open \(path)") }
    try OpenDescriptor(fd).write(bytes, path)
  }

  /// What is mounted somewhere, by place.
  static func mountPoints() -> Set<String> {
    let text = Files.textIfPresent("/proc/self/mountinfo") ?? ""
    return Set(
      text.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ", maxSplits: 5)
        return fields.count > 4 ? unescaped(String(fields[4])) : nil
      })
  }

  /// The kernel writes blanks and backslashes in paths as three octal digits.
  private static func unescaped(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A descriptor, closed when nobody holds it any more.
final class OpenDescriptor: Sendable {
  let fd: Int32
  private let isOpen = Mutex(true)

  init(_ fd: Int32) { self.fd = fd }
  deinit { closeEarly() }

  /// Closes it now.
  func closeEarly() {
    isOpen.withLock {
      if $0 { close(fd) }
      $0 = false
    }
  }

  func write(_ bytes: some Sequence<UInt8>, _ path: String) throws {
    let bytes = Array(bytes)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress?.advanced(by: written), $0.count - written) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw systemError("write \(path)") }
      written += count
    }
  }
}
