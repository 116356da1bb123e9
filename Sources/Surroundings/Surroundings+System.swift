import Glibc

extension Surroundings {
  /// The real ones of this machine.
  public static let system: Surroundings = {
    let start = ContinuousClock.now
    return Surroundings(
      now: {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
      },
      elapsed: { ContinuousClock.now - start },
      sleep: { try await Task.sleep(for: $0) },
      identifier: { uuidText(systemRandomBytes(16)) },
      randomBytes: systemRandomBytes
    )
  }()

  /// The text of a version 4 UUID made of these 16 bytes (RFC 9562).
  public static func uuidText(_ bytes: [UInt8]) -> String {
    var bytes = bytes
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    let hex = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.prefix(16).enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text += [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
    }
    return String(decoding: text, as: UTF8.self)
  }
}

private func systemRandomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  var bytes: [UInt8] = []
  // Each of its numbers is a call of the system.
  while bytes.count < count {
    withUnsafeBytes(of: generator.next()) { bytes += $0.prefix(count - bytes.count) }
  }
  return bytes
}
