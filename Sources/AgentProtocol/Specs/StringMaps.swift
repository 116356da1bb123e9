import Formats

extension FieldReader {
  /// An object whose members are texts; absent is empty.
  func stringMap(_ name: String) throws -> [String: String] {
    var map: [String: String] = [:]
    for (key, value) in try optionalObject(name) ?? [:] {
      guard let text = value.scalarText else {
        throw error("\(name).\(key)", "expected a string, found \(value.kindName)")
      }
      map[key] = text
    }
    return map
  }
}

extension Value {
  /// An object of texts, its members sorted by name.
  init(_ map: [String: String]) {
    self = .object(ValueObject(map.sorted { $0.key < $1.key }.map { ($0.key, Value.string($0.value)) }))
  }
}
