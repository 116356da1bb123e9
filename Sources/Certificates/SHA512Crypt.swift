import Crypto
import FoundationEssentials

/// Passwords hashed as `/etc/shadow` has them: `$6$SALT$…`, after "Unix crypt using SHA-256 and SHA-512" (U. Drepper).
enum SHA512Crypt {
  private static let alphabet = Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

  /// - Parameters:
  ///   - salt: Only its first 16 bytes count.
  ///   - rounds: Said in the result when it is given; 5000 otherwise.
  static func hash(_ password: String, salt: String, rounds: Int? = nil) -> String {
    let key = Array(password.utf8)
    let salt = Array(salt.utf8.prefix(16))
    let count = min(max(rounds ?? 5000, 1000), 999_999_999)
    let bytes = digest(key, salt, rounds: count)
    let said = rounds == nil ? "" : "rounds=\(count)$"
    return "$6$\(said)\(String(decoding: salt, as: UTF8.self))$\(text(bytes))"
  }

  private static func digest(_ key: [UInt8], _ salt: [UInt8], rounds: Int) -> [UInt8] {
    let other = Array(SHA512.hash(data: key + salt + key))
    var start = key + salt + repeated(other, key.count)
    var bits = key.count
    while bits > 0 {
      start += bits & 1 == 1 ? other : key
      bits >>= 1
    }
    var result = Array(SHA512.hash(data: start))

    var keys = SHA512()
    for _ in key { keys.update(data: key) }
    let keyBytes = repeated(Array(keys.finalize()), key.count)
    var salts = SHA512()
    for _ in 0..<16 + Int(result[0]) { salts.update(data: salt) }
    let saltBytes = repeated(Array(salts.finalize()), salt.count)

    for round in 0..<rounds {
      var hash = SHA512()
      hash.update(data: round & 1 == 1 ? keyBytes : result)
      if round % 3 != 0 { hash.update(data: saltBytes) }
      if round % 7 != 0 { hash.update(data: keyBytes) }
      hash.update(data: round & 1 == 1 ? result : keyBytes)
      result = Array(hash.finalize())
    }
    return result
  }

  /// That many bytes of a text that is repeated as often as it takes.
  private static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
    (0..<count).map { bytes[$0 % bytes.count] }
  }

  /// Three bytes are four letters, the lowest six bits first; which three is a third of the digest apart.
  private static func text(_ bytes: [UInt8]) -> String {
    var letters: [UInt8] = []
    func put(_ bits: Int, _ count: Int) {
      for index in 0..<count { letters.append(alphabet[bits >> (6 * index) & 63]) }
    }
    var (first, second, third) = (0, 21, 42)
    for _ in 0..<21 {
      put(Int(bytes[first]) << 16 | Int(bytes[second]) << 8 | Int(bytes[third]), 4)
      (first, second, third) = (second + 1, third + 1, first + 1)
    }
    put(Int(bytes[63]), 2)
    return String(decoding: letters, as: UTF8.self)
  }
}
