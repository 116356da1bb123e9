/// The names under which a disk may appear: clouds say /dev/sdb for what kernels call /dev/xvdb or /dev/vdb.
enum DeviceNames {
  static func candidates(_ path: String) -> [String] {
    guard path.hasPrefix("/dev/sd") else { return [path] }
    let rest = path.dropFirst("/dev/sd".count)
    return ["/dev/xvd\(rest)", "/dev/vd\(rest)", path]
  }
}
