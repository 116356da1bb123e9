import Formats

/// What every driver asks of a commit before it looks at a document.
enum DocumentRules {
  /// Bodies are settings and states; anything larger belongs in a blob.
  static let largestBody = 16 << 20
  static let longestName = 1024

  static func check(_ writes: [Write]) throws {
    var seen: Set<Place> = []
    for write in writes {
      try checkKind(write.kind)
      try checkName(write.kind, write.name)
      guard writes.count == 1 || seen.insert(Place(kind: write.kind, name: write.name)).inserted else {
        throw DroverError(.invalid, "committing \(write.kind) '\(write.name)': it is written twice in one commit")
      }
      switch write.action {
      case .create(let body), .replace(let body, atRevision: _), .put(let body):
        guard body.count <= largestBody else {
          throw DroverError(
            .tooLarge,
            "committing \(write.kind) '\(write.name)': \(body.count) bytes, a document has at most \(largestBody)")
        }
      case .delete, .require: break
      }
    }
  }

  /// A document's kind and name, told apart by their bytes: not all that reads alike is the same to every driver.
  private struct Place: Hashable {
    let kind: String
    let name: String

    static func == (left: Place, right: Place) -> Bool {
      left.kind.utf8.elementsEqual(right.kind.utf8) && left.name.utf8.elementsEqual(right.name.utf8)
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(name.utf8.count)
      var name = name
      name.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  static func checkKind(_ kind: String) throws {
    let allowed = kind.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    guard !kind.isEmpty, kind.utf8.count <= 64, allowed else {
      throw DroverError(
        .invalid, "'\(kind)' cannot be a document's kind: 1 to 64 lower-case letters, digits and hyphens are allowed")
    }
  }

  static func checkName(_ kind: String, _ name: String) throws {
    guard !name.isEmpty, name.utf8.count <= longestName, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw DroverError(
        .invalid,
        "'\(name)' cannot be the name of a \(kind): 1 to \(longestName) bytes without control characters are allowed")
    }
  }
}
