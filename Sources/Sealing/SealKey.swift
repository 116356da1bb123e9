import Crypto
import Formats

/// A key that secrets are sealed with.
public struct SealKey: Sendable, Hashable {
  /// How many bytes a key is made of.
  public static let size = 32

  /// Sixteen hexadecimal digits that are made of the key, and do not tell it: a key that was mistyped has another id.
  public let id: String
  private let bytes: [UInt8]
  private let encryption: SymmetricKey
  private let nonces: SymmetricKey

  /// Nil unless there are ``size`` bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.size else { return nil }
    let key = SymmetricKey(data: bytes)
    func derived(_ purpose: String) -> SymmetricKey {
      HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Array("drover seal 1 \(purpose)".utf8), outputByteCount: 32)
    }
    self.bytes = bytes
    encryption = derived("encryption")
    nonces = derived("nonces")
    id = derived("id").withUnsafeBytes { Hex.encode($0.prefix(8)) }
  }

  public static func == (one: SealKey, other: SealKey) -> Bool { one.bytes == other.bytes }
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }

  /// As a line of a file of keys.
  var line: String { "\(id) \(Base64.encode(bytes))" }

  /// Encrypts by AES-256-GCM.
  ///
  /// The nonce is made of what is sealed and where, so that the same text at the same place is the same sealed text, and
  /// a document that has not changed is not written again. It tells no more than that a place has a value again that it
  /// had before, and two different texts never share a nonce.
  func seal(_ bytes: [UInt8], at place: [UInt8]) throws -> [UInt8] {
    var code = HMAC<SHA256>(key: nonces)
    code.update(data: place)
    code.update(data: bytes)
    let nonce = try AES.GCM.Nonce(data: Array(code.finalize().prefix(12)))
    let box = try AES.GCM.seal(bytes, using: encryption, nonce: nonce, authenticating: place)
    return Array(nonce) + Array(box.ciphertext) + Array(box.tag)
  }

  /// Throws for what this key has not sealed at this place.
  func open(_ bytes: [UInt8], at place: [UInt8]) throws -> [UInt8] {
    let box = try AES.GCM.SealedBox(combined: bytes)
    return Array(try AES.GCM.open(box, using: encryption, authenticating: place))
  }
}

extension SealKey: CustomStringConvertible, CustomReflectable {
  public var description: String { "the key \(id)" }
  public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
