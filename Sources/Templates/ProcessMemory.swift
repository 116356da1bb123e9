import Glibc

/// How much memory a process of this machine has, in bytes, from `/proc/PID/statm`.
struct ProcessMemory: Sendable, Hashable {
  var addressSpace: Int
  var resident: Int

  /// Nil when there is no such process.
  static func of(_ pid: pid_t) -> ProcessMemory? {
    let file = open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
    let numbers = buffer.prefix(max(0, count)).split(separator: UInt8(ascii: " "))
      .map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
    guard numbers.count > 1 else { return nil }
    let page = Int(getpagesize())
    return ProcessMemory(addressSpace: numbers[0] * page, resident: numbers[1] * page)
  }
}
