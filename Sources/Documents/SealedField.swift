import Sealing

/// A field of a kind's documents that is sealed before a driver sees it (design D1).
public struct SealedField<Body>: Sendable {
  let name: String
  private let get: @Sendable (Body) -> String?
  private let set: @Sendable (inout Body, String) -> Void

  /// - Parameter name: what the field is called in the document: part of the place that it is sealed for, so it stays.
  public init(_ name: String, _ path: any WritableKeyPath<Body, String> & Sendable) {
    self.name = name
    get = { $0[keyPath: path] }
    set = { $0[keyPath: path] = $1 }
  }

  public init(_ name: String, _ path: any WritableKeyPath<Body, String?> & Sendable) {
    self.name = name
    get = { $0[keyPath: path] }
    set = { $0[keyPath: path] = $1 }
  }

  func seal(_ body: inout Body, _ kind: String, _ document: String, _ keys: SealKeys) throws {
    guard let text = get(body) else { return }
    set(&body, try keys.seal(text, at: SealPlace(kind: kind, name: document, field: name)))
  }

  /// Opens it; a text in clear is from before there were keys, and stays as it is.
  func open(_ body: inout Body, _ kind: String, _ document: String, _ keys: SealKeys?) throws {
    guard let text = get(body), SealKeys.isSealed(text) else { return }
    let place = SealPlace(kind: kind, name: document, field: name)
    guard let keys else { throw SealedDocumentStore.noKeys(place) }
    set(&body, try keys.openText(text, at: place))
  }
}
