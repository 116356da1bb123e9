public import Formats

extension JobSpec {
  /// What the job's templates see: only properties that the spec declares, each as given, else its default, else
  /// `null`; nested as their dotted names say, keys sorted (`reference/director.md B.8`).
  ///
  /// - Throws: ``Formats/DroverError`` with code `invalid` when something other than an object stands where a dotted
  ///   name goes through.
  public func effectiveProperties(_ given: ValueObject) throws -> ValueObject {
    var effective = ValueObject()
    for property in properties {
      let path = property.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      let value = try Self.find(path, in: given, property.name) ?? property.defaultValue ?? .null
      try Self.set(value, at: path[...], in: &effective, property.name)
    }
    return Self.sortedDeeply(effective)
  }

  /// The values of these dotted names, nested; names without a value are left out. For links.
  public static func select(_ names: [String], from properties: ValueObject) throws -> ValueObject {
    var selected = ValueObject()
    for name in names {
      let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard let value = try find(path, in: properties, name) else { continue }
      try set(value, at: path[...], in: &selected, name)
    }
    return selected
  }

  private static func find(_ path: [String], in properties: ValueObject, _ name: String) throws -> Value? {
    var current = Value.object(properties)
    for part in path {
      guard case .object(let members) = current else {
        throw DroverError(.invalid, "Property '\(name)' expects a hash, but received '\(rubyClass(current))'")
      }
      guard let next = members[part], !next.isNull else { return nil }
      current = next
    }
    return current
  }

  private static func set(
    _ value: Value, at path: ArraySlice<String>, in object: inout ValueObject, _ name: String
  ) throws {
    guard let part = path.first else { return }
    guard path.count > 1 else {
      object[part] = value
      return
    }
    var inner: ValueObject
    switch object[part] {
    case nil, .null: inner = ValueObject()
    case .object(let members): inner = members
    case .some(let other):
      throw DroverError(.invalid, "Property '\(name)' expects a hash, but received '\(rubyClass(other))'")
    }
    try set(value, at: path.dropFirst(), in: &inner, name)
    object[part] = .object(inner)
  }

  private static func sortedDeeply(_ object: ValueObject) -> ValueObject {
    func sorted(_ value: Value) -> Value {
      switch value {
      case .object(let members): .object(sortedDeeply(members))
      case .array(let elements): .array(elements.map(sorted))
      default: value
      }
    }
    return ValueObject(object.sorted().map { ($0.key, sorted($0.value)) })
  }

  /// What Ruby calls the value's class, as people know it from these messages.
  private static func rubyClass(_ value: Value) -> String {
    switch value {
    case .null: "NilClass"
    case .bool(let flag): flag ? "TrueClass" : "FalseClass"
    case .int: "Integer"
    case .double: "Float"
    case .string: "String"
    case .array: "Array"
    case .object: "Hash"
    }
  }
}
