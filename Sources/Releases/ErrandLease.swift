public import Formats

/// What an errand needs from the pools while it runs: an entry of `leases` in a job's `spec` or in a manifest.
///
/// `{type: aws-account, as: account, state: free, to: busy, then: dirty, wait: 30m}`; all but the type may be left out.
public struct ErrandLease: Sendable, Hashable, Codable {
  /// The type of the resource.
  public var type: String
  /// By what name the errand knows it; the type when nothing is said.
  public var name: String
  /// The state that the resource must be in.
  public var state: String
  /// The state that it is in while the errand has it.
  public var heldState: String
  /// The state that it is handed back in, however the errand ends.
  public var finalState: String
  /// For how long the errand waits in line; nil for as long as it takes.
  public var waitSeconds: Int?

  public init(
    type: String, name: String? = nil, state: String = "free", heldState: String = "busy",
    finalState: String = "dirty", waitSeconds: Int? = nil
  ) {
    self.type = type
    self.name = name ?? type
    self.state = state
    self.heldState = heldState
    self.finalState = finalState
    self.waitSeconds = waitSeconds
  }

  /// What the names of the lease's variables begin with: `DROVER_LEASE_ACCOUNT`.
  public var variablePrefix: String { "DROVER_LEASE_" + Self.variableName(name) }

  /// A text in capitals, with underscores for what the name of a variable cannot have.
  public static func variableName(_ text: String) -> String {
    String(
      text.uppercased().unicodeScalars.map { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
          ? Character(scalar) : "_"
      })
  }
}

extension ErrandLease {
  private static let keys: Set<String> = ["type", "as", "state", "to", "then", "wait"]

  /// - Throws: ``Formats/DroverError`` with code `invalid` that names the field.
  public init(_ reader: FieldReader) throws {
    try reader.allowOnly(Self.keys)
    func state(_ key: String, _ fallback: String) throws -> String {
      let text = try reader.optionalScalarText(key) ?? fallback
      guard !text.isEmpty, text.utf8.count <= 200, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        throw reader.error(key, "expected the name of a state, found '\(text.prefix(200))'")
      }
      return text
    }
    type = try reader.scalarText("type")
    guard !type.isEmpty, type.utf8.count <= 200, type.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw reader.error("type", "expected the name of a type of resources, found '\(type.prefix(200))'")
    }
    name = try reader.optionalScalarText("as") ?? type
    guard Self.isName(name), name.lowercased() != "data" else {
      throw reader.error(
        reader.value("as") == nil ? "type" : "as",
        "'\(name)' cannot be what the errand calls its lease; expected a letter and then letters, digits, '-' and '_', "
          + "and not 'data'" + (reader.value("as") == nil ? "; say it with 'as'" : ""))
    }
    self.state = try state("state", "free")
    heldState = try state("to", "busy")
    finalState = try state("then", "dirty")
    waitSeconds = try Self.wait(reader)
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first.isASCII, first.properties.isAlphabetic else { return false }
    return text.utf8.count <= 64
      && text.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_")
      }
  }

  /// `30m` or a number of seconds; 0 does not wait at all.
  private static func wait(_ reader: FieldReader) throws -> Int? {
    guard let text = try reader.optionalScalarText("wait"), Int(text) != 0 else {
      return reader.value("wait") == nil ? nil : 0
    }
    return try reader.optionalSeconds("wait")
  }

  /// Leases by name, where those of `others` replace those of the same name.
  public static func merged(_ leases: [ErrandLease], with others: [ErrandLease]) -> [ErrandLease] {
    leases.filter { lease in !others.contains { $0.name == lease.name } } + others
  }
}

extension FieldReader {
  /// The `leases` of this object; absent is none.
  public func leases() throws -> [ErrandLease] {
    let leases = try readers("leases").map(ErrandLease.init)
    var prefixes: Set<String> = []
    for (index, lease) in leases.enumerated() where !prefixes.insert(lease.variablePrefix).inserted {
      throw error(
        "leases[\(index)]", "another lease is called '\(lease.name)' too, as variables are named; say 'as: …'")
    }
    return leases
  }
}
