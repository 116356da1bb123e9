import Files
import Formats
import Glibc

/// Users, groups and the name of this machine.
///
/// From the files themselves: a static executable cannot load what `getpwnam` and `getgrnam` may need, and crashes.
public enum Accounts {
  /// A line of /etc/passwd.
  public struct User: Sendable, Hashable {
    public let id: UInt32
    public let group: UInt32
    public let home: String

    public init(id: UInt32, group: UInt32, home: String) {
      self.id = id
      self.group = group
      self.home = home
    }
  }

  /// The number of a user given by name or number.
  public static func user(_ name: String) throws -> UInt32 {
    if let number = UInt32(name) { return number }
    if let user = try find(user: name) { return user.id }
    throw DroverError(.notFound, "there is no user '\(name)' in /etc/passwd")
  }

  /// The number of a group given by name or number.
  public static func group(_ name: String) throws -> UInt32 {
    if let number = UInt32(name) { return number }
    if let number = try find(group: name) { return number }
    throw DroverError(.notFound, "there is no group '\(name)' in /etc/group")
  }

  /// The user of that name; nil when there is none.
  public static func find(user name: String) throws -> User? {
    find(user: name, in: try Files.text("/etc/passwd") ?? "")
  }

  static func find(user name: String, in text: String) -> User? {
    for fields in lines(text, of: name) where fields.count > 5 {
      if let id = UInt32(fields[2]), let group = UInt32(fields[3]) {
        return User(id: id, group: group, home: String(fields[5]))
      }
    }
    return nil
  }

  /// The number of the group of that name; nil when there is none.
  public static func find(group name: String) throws -> UInt32? {
    find(group: name, in: try Files.text("/etc/group") ?? "")
  }

  static func find(group name: String, in text: String) -> UInt32? {
    for fields in lines(text, of: name) where fields.count > 2 {
      if let number = UInt32(fields[2]) { return number }
    }
    return nil
  }

  public static func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The fields of the lines that begin with a name.
  private static func lines(_ text: String, of name: String) -> [[Substring]] {
    text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
      .filter { $0[0] == name }
  }
}
