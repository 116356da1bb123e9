import Formats

/// The keys of one server or of several: the first one seals, all of them open.
public struct SealKeys: Sendable, Hashable {
  public let current: SealKey
  private let byID: [String: SealKey]
  /// Where they come from, for those who have to look for one: the path of a file.
  public let source: String

  /// - Parameter older: what was sealed with these is still read.
  public init(_ current: SealKey, older: [SealKey] = [], source: String) {
    self.current = current
    byID = Dictionary(([current] + older).map { ($0.id, $0) }, uniquingKeysWith: { one, _ in one })
    self.source = source
  }

  public func contains(_ id: String) -> Bool { byID[id] != nil }
  public var ids: [String] { byID.keys.sorted() }

  private static let mark = "sealed:1:"

  /// Whether a text is a sealed one. Nothing that is sealed could be mistaken for one in clear: manifests and
  /// configurations are YAML, requests JSON, and keys base64.
  public static func isSealed(_ text: String) -> Bool { text.utf8.starts(with: mark.utf8) }

  /// The bytes as a text that only these keys open, and only at this place: `sealed:1:KEY:BASE64`.
  public func seal(_ bytes: [UInt8], at place: SealPlace) throws -> String {
    do {
      return "\(Self.mark)\(current.id):\(Base64.encode(try current.seal(bytes, at: place.bytes)))"
    } catch {
      throw DroverError(.failed, "sealing \(place)", cause: error)
    }
  }

  /// What was sealed.
  ///
  /// - Throws: `forbidden` when its key is not among these, `corrupt` when it is not what was sealed at this place.
  public func open(_ text: String, at place: SealPlace) throws -> [UInt8] {
    let parts = text.dropFirst(Self.mark.count).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard Self.isSealed(text), parts.count == 2 else {
      throw DroverError(.corrupt, "opening \(place): expected a sealed text, found none; restore it from a back-up")
    }
    let id = String(parts[0])
    guard let key = byID[id] else {
      throw DroverError(
        .forbidden,
        "opening \(place): it is sealed with the key \(id), and \(source) has only \(ids.joined(separator: ", ")); put "
          + "the line of that key back into the file, from the back-up of it, and start the server again")
    }
    do {
      guard let bytes = Base64.decode(String(parts[1])) else { throw DroverError(.invalid, "it is no base64") }
      return try key.open(bytes, at: place.bytes)
    } catch {
      throw DroverError(
        .corrupt,
        "opening \(place) with the key \(id): it was changed after it had been sealed, or belongs elsewhere; restore it "
          + "from a back-up", cause: error)
    }
  }
}

extension SealKeys {
  /// The same for texts.
  public func seal(_ text: String, at place: SealPlace) throws -> String { try seal(Array(text.utf8), at: place) }

  /// The text that was sealed; a text in clear, from before there were keys, as it is.
  public func openText(_ text: String, at place: SealPlace) throws -> String {
    Self.isSealed(text) ? String(decoding: try open(text, at: place), as: UTF8.self) : text
  }
}
