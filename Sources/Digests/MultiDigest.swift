import Formats

/// One or several digests of the same bytes, in BOSH's text form: `HEX` (SHA-1), `sha256:HEX`, `sha512:HEX`, joined by
/// `;`. Only the strongest one that is known is ever checked (`reference/agent.md 16`).
public struct MultiDigest: Sendable, Hashable, CustomStringConvertible {
  /// One digest. Algorithms that are not known are kept, so that the text can be printed again.
  public struct Piece: Sendable, Hashable, CustomStringConvertible {
    /// The algorithm's name: `sha1`, `sha256`, `sha512` or something newer.
    public let name: String
    public let hex: String

    public init(_ algorithm: DigestAlgorithm, hex: String) {
      name = algorithm.rawValue
      self.hex = hex
    }

    fileprivate init(name: String, hex: String) {
      self.name = name
      self.hex = hex
    }

    public var algorithm: DigestAlgorithm? { DigestAlgorithm(rawValue: name) }
    /// SHA-1 has no prefix.
    public var description: String { algorithm == .sha1 ? hex : "\(name):\(hex)" }
  }

  public let pieces: [Piece]

  public init(pieces: [Piece]) { self.pieces = pieces }

  public init(_ algorithm: DigestAlgorithm, hex: String) { pieces = [Piece(algorithm, hex: hex)] }

  /// - Throws: ``DroverError`` with code `invalid` when there is no digest, an algorithm comes twice, none of them is
  ///   known, or a piece has other characters than letters and digits.
  public init(_ text: String) throws {
    var pieces: [Piece] = []
    for part in text.split(separator: ";") {
      let words = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let (name, hex) = words.count == 2 ? (words[0], words[1]) : ("sha1", words[0])
      guard !hex.isEmpty, !name.isEmpty, hex.utf8.allSatisfy(Self.isAlphanumeric),
        name.utf8.allSatisfy(Self.isAlphanumeric)
      else {
        throw DroverError(.invalid, "digest '\(text)': '\(part)' may have only letters and digits after its algorithm")
      }
      guard !pieces.contains(where: { $0.name == name }) else {
        throw DroverError(.invalid, "digest '\(text)': algorithm \(name) is given twice")
      }
      pieces.append(Piece(name: name, hex: hex))
    }
    guard pieces.contains(where: { $0.algorithm != nil }) else {
      throw DroverError(
        .invalid, "digest '\(text)': expected HEX (SHA-1), sha256:HEX or sha512:HEX, several of them joined by ';'")
    }
    self.pieces = pieces
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: false
    }
  }

  /// The text form, in the order in which the digests were given.
  public var description: String { pieces.map(\.description).joined(separator: ";") }

  /// The one that is checked: SHA-512 before SHA-256 before SHA-1; nil when none is known.
  public var strongest: Piece? {
    pieces.filter { $0.algorithm != nil }.max { left, right in
      guard let left = left.algorithm, let right = right.algorithm else { return false }
      return left < right
    }
  }

  /// A hasher that finds what ``verify(_:)`` compares with.
  public func hasher() -> DigestHasher { DigestHasher(Set(strongest.flatMap(\.algorithm).map { [$0] } ?? [])) }

  /// Whether `found`, which was computed from the bytes, has this digest.
  ///
  /// - Throws: ``DroverError`` with code `corrupt` and the text that the Go agent uses.
  public func verify(_ found: MultiDigest) throws {
    guard let expected = strongest else {
      throw DroverError(.invalid, "digest '\(self)': no known algorithm to check it with")
    }
    let actual = found.pieces.first { $0.name == expected.name }
    guard let actual, actual.hex == expected.hex.lowercased() else {
      throw DroverError(
        .corrupt, "Expected stream to have digest '\(expected)' but was '\(actual?.description ?? found.description)'")
    }
  }

  /// Whether these bytes have this digest.
  ///
  /// - Throws: as ``verify(_:)``.
  public func verify(bytes: some Sequence<UInt8>) throws {
    var hasher = hasher()
    hasher.update(bytes)
    try verify(hasher.finish())
  }
}
