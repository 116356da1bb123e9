public import Formats
import GoConventions
import Surroundings

extension PooledResource {
  /// Its JSON, byte by byte as Boskos writes it.
  public var json: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(192)
    appendJSON(to: &bytes)
    return bytes
  }

  public func appendJSON(to bytes: inout [UInt8]) {
    func append(_ name: StaticString) { name.withUTF8Buffer { bytes.append(contentsOf: $0) } }
    func member(_ name: StaticString, _ text: String) {
      append(name)
      GoText.appendJSON(text, to: &bytes)
    }
    member("{\"type\":", type)
    member(",\"name\":", name)
    member(",\"state\":", state)
    member(",\"owner\":", owner)
    member(",\"lastupdate\":", GoTime.text(lastUpdate))
    append(",\"userdata\":")
    GoText.appendJSON(userData, to: &bytes)
    if let expiration { member(",\"expiration-date\":", expiration.text) }
    bytes.append(UInt8(ascii: "}"))
  }

  /// Reads what a person or a script hands on, and says in the words of Go's decoder what is wrong with it.
  ///
  /// - Returns: the resource, and whether it says anything about user data.
  /// - Throws: ``DroverError`` with code `invalid`.
  public static func read(_ text: String) throws -> (resource: PooledResource, hasData: Bool) {
    let bytes = Array(text.utf8)
    var scanner = GoJSONScanner(bytes)
    try scanner.onlyValue()
    let value = try JSON.parse(UserDataBody.repaired(bytes[...]))
    let start = "json: cannot unmarshal"
    guard value.isNull || value.object != nil else {
      throw DroverError(.invalid, "\(start) \(UserDataBody.kind(value)) into Go value of type common.Resource")
    }
    for name in ["type", "name", "state", "owner"] {
      guard let member = value[name], !member.isNull, member.string == nil else { continue }
      throw DroverError(
        .invalid, "\(start) \(UserDataBody.kind(member)) into Go struct field Resource.\(name) of type string")
    }
    let resource = try value.isNull ? PooledResource(type: "", name: "", state: "") : PooledResource(json: value)
    return (resource, value["userdata"].map { !$0.isNull } ?? false)
  }

  /// Reads what a server sent.
  ///
  /// - Throws: ``DroverError`` with code `invalid` when it is no resource.
  public init(json value: Value) throws {
    guard let object = value.object else {
      throw DroverError(.invalid, "reading a resource: expected an object, found \(value.kindName)")
    }
    func text(_ name: String) throws -> String {
      switch object[name] {
      case nil, .null: return ""
      case .string(let text): return text
      case .some(let other):
        throw DroverError(.invalid, "reading a resource: '\(name)' is \(other.kindName), not a string")
      }
    }
    func time(_ name: String) throws -> Timestamp? {
      let text = try text(name)
      if text.isEmpty { return nil }
      guard let time = GoTime.parse(text) else {
        throw DroverError(.invalid, "reading a resource: '\(name)' is \(text.debugDescription), not a time")
      }
      return time
    }
    var userData: [String: String] = [:]
    if let data = object["userdata"], !data.isNull {
      guard let members = data.object else {
        throw DroverError(.invalid, "reading a resource: 'userdata' is \(data.kindName), not an object")
      }
      for (name, member) in members {
        guard let text = member.string else {
          throw DroverError(.invalid, "reading a resource: userdata '\(name)' is \(member.kindName), not a string")
        }
        userData[name] = text
      }
    }
    self.init(
      type: try text("type"), name: try text("name"), state: try text("state"), owner: try text("owner"),
      lastUpdate: try time("lastupdate"), userData: userData, expiration: try time("expiration-date"))
  }
}

extension PoolMetric {
  /// Its JSON, byte by byte as Boskos writes it.
  public var json: [UInt8] {
    var bytes = Array("{\"type\":".utf8)
    GoText.appendJSON(type, to: &bytes)
    bytes += Array(",\"current\":".utf8)
    GoText.appendObject(current, to: &bytes) { count, bytes in bytes += Array(String(count).utf8) }
    bytes += Array(",\"owner\":".utf8)
    GoText.appendObject(owners, to: &bytes) { count, bytes in bytes += Array(String(count).utf8) }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  /// Reads what a server sent.
  ///
  /// - Throws: ``DroverError`` with code `invalid` when it is no metric.
  public init(json value: Value) throws {
    guard let object = value.object else {
      throw DroverError(.invalid, "reading a metric: expected an object, found \(value.kindName)")
    }
    func counts(_ name: String) throws -> [String: Int] {
      guard let members = object[name]?.object else { return [:] }
      var counts: [String: Int] = [:]
      for (key, member) in members {
        guard let count = member.int else {
          throw DroverError(.invalid, "reading a metric: \(name) '\(key)' is \(member.kindName), not an integer")
        }
        counts[key] = count
      }
      return counts
    }
    self.init(type: object["type"]?.string ?? "", current: try counts("current"), owners: try counts("owner"))
  }
}
