internal import Crypto
import Formats

/// The hash functions that BOSH uses, weakest first.
public enum DigestAlgorithm: String, Sendable, Hashable, CaseIterable, Comparable {
  case sha1
  case sha256
  case sha512

  public static func < (left: DigestAlgorithm, right: DigestAlgorithm) -> Bool { left.strength < right.strength }

  private var strength: Int {
    switch self {
    case .sha1: 1
    case .sha256: 2
    case .sha512: 3
    }
  }
}

/// Hashes a stream of chunks with several functions at once.
///
/// ```swift
/// var hasher = DigestHasher([.sha1, .sha512])
/// hasher.update(chunk)
/// let digest = hasher.finish()   // prints as SHA1;sha512:HEX
/// ```
public struct DigestHasher: Sendable {
  private var sha1: Insecure.SHA1?
  private var sha256: SHA256?
  private var sha512: SHA512?

  public init(_ algorithms: Set<DigestAlgorithm>) {
    if algorithms.contains(.sha1) { sha1 = Insecure.SHA1() }
    if algorithms.contains(.sha256) { sha256 = SHA256() }
    if algorithms.contains(.sha512) { sha512 = SHA512() }
  }

  public mutating func update(_ bytes: some Sequence<UInt8>) {
    let done: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
    if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
  }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    sha1?.update(bufferPointer: bytes)
    sha256?.update(bufferPointer: bytes)
    sha512?.update(bufferPointer: bytes)
  }

  /// The digests of everything so far, weakest first. More may be added afterwards.
  public func finish() -> MultiDigest {
    var pieces: [MultiDigest.Piece] = []
    if let sha1 { pieces.append(.init(.sha1, hex: Hex.encode(sha1.finalize()))) }
    if let sha256 { pieces.append(.init(.sha256, hex: Hex.encode(sha256.finalize()))) }
    if let sha512 { pieces.append(.init(.sha512, hex: Hex.encode(sha512.finalize()))) }
    return MultiDigest(pieces: pieces)
  }

  /// The hexadecimal digest of these bytes.
  public static func hex(_ algorithm: DigestAlgorithm, _ bytes: some Sequence<UInt8>) -> String {
    var hasher = DigestHasher([algorithm])
    hasher.update(bytes)
    return hasher.finish().pieces.first?.hex ?? ""
  }

  /// The hexadecimal digest of this text's UTF-8.
  public static func hex(_ algorithm: DigestAlgorithm, _ text: String) -> String { hex(algorithm, text.utf8) }
}
