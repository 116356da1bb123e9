internal import Glibc

/// Linux's packing of a device's two numbers into one, which C has only as macros.
enum DeviceNumber {
  static func pack(major: Int, minor: Int) -> dev_t {
    let major = dev_t(UInt32(truncatingIfNeeded: major))
    let minor = dev_t(UInt32(truncatingIfNeeded: minor))
    return (major & 0xFFFF_F000) << 32 | (major & 0xFFF) << 8 | (minor & 0xFFFF_FF00) << 12 | minor & 0xFF
  }

  static func major(_ device: dev_t) -> Int { Int(device >> 32 & 0xFFFF_F000 | device >> 8 & 0xFFF) }
  static func minor(_ device: dev_t) -> Int { Int(device >> 12 & 0xFFFF_FF00 | device & 0xFF) }
}
