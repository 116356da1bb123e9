import Formats
import Glibc

/// Users, groups and the name of this machine.
public enum Accounts {
  /// The number of a user given by name or number.
  public static func user(_ name: String) throws -> UInt32 {
    if let number = UInt32(name) { return number }
    return try lookUp(in: "/etc/passwd", name, "user")
  }

  /// The number of a group given by name or number.
  public static func group(_ name: String) throws -> UInt32 {
    if let number = UInt32(name) { return number }
    return try lookUp(in: "/etc/group", name, "group")
  }

  public static func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// From the file itself: a static executable cannot load what `getpwnam` may need.
  private static func lookUp(in file: String, _ name: String, _ what: String) throws -> UInt32 {
    for line in (Files.textIfPresent(file) ?? "").split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count > 2, fields[0] == name, let number = UInt32(fields[2]) { return number }
    }
    throw DroverError(.notFound, "there is no \(what) '\(name)' in \(file)")
  }
}
