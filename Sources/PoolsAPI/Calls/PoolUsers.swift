import Crypto
import Formats

/// Who may use the API, and in whose name. Without users everybody may do everything, as with Boskos.
///
/// Lines of `USER:PASSWORD` or `USER:PASSWORD:OWNER,OWNER`; without owners a user acts under his own name only, and `*`
/// stands for every owner and for taking back the leases of others. Empty lines and those that begin with `#` do not
/// count.
public struct PoolUsers: Sendable {
  struct User: Sendable {
    let name: String
    let owners: Set<String>
    let digest: SHA256Digest

    func mayActAs(_ owner: String) -> Bool { owners.contains("*") || owners.contains(owner) }
    var mayReset: Bool { owners.contains("*") }
  }

  private var users: [String: User] = [:]

  /// - Throws: ``DroverError`` with code `invalid`, naming the line but not what is in it.
  public init(_ text: String) throws {
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.last == "\r" ? line.dropLast() : line
      if line.isEmpty || line.first == "#" { continue }
      let parts = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard (2...3).contains(parts.count), !parts[0].isEmpty, !parts[1].isEmpty, users[parts[0]] == nil else {
        throw DroverError(
          .invalid, "the users of the pools, line \(number + 1): expected USER:PASSWORD[:OWNER,OWNER], each user once")
      }
      let owners = parts.count == 3 ? parts[2].split(separator: ",").map(String.init) : [parts[0]]
      users[parts[0]] = User(
        name: parts[0], owners: Set(owners), digest: SHA256.hash(data: Array(parts[1].utf8)))
    }
  }

  /// The user that an `Authorization` header names, if the password is right.
  func user(authorization: String?) -> User? {
    guard let authorization, authorization.lowercased().hasPrefix("basic "),
      let bytes = Base64.decode(String(authorization.dropFirst(6))),
      let separator = bytes.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    // Comparing digests takes the same time wherever two passwords differ.
    let digest = SHA256.hash(data: Array(bytes[(separator + 1)...]))
    guard let user = users[String(decoding: bytes[..<separator], as: UTF8.self)], user.digest == digest else {
      return nil
    }
    return user
  }
}
