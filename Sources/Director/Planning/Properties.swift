import Formats

/// Properties of a job: only those that its spec declares, with defaults filled in (`reference/director.md B.8`).
enum Properties {
  /// - Parameters:
  ///   - declared: Defaults by dotted name.
  ///   - given: What the manifest says.
  /// - Throws: ``DroverError`` when the manifest has a scalar where the spec has members.
  static func effective(_ declared: [String: Value?], given: ValueObject) throws -> ValueObject {
    var result: ValueObject = [:]
    for (name, fallback) in declared.sorted(by: { $0.key < $1.key }) {
      let value = try lookup(name, in: given)
      set(value ?? fallback ?? .null, at: name.split(separator: ".").map(String.init)[...], in: &result)
    }
    return result
  }

  /// The value of a dotted name; nil when it is absent or null.
  static func lookup(_ name: String, in object: ValueObject) throws -> Value? {
    var current = Value.object(object)
    for key in name.split(separator: ".").map(String.init) {
      switch current {
      case .object(let object): current = object[key] ?? .null
      case .null: return nil
      default:
        throw DroverError(
          .invalid, "Property '\(name)' expects a hash, but received '\(rubyClass(current))'", number: 40000)
      }
    }
    return current.isNull ? nil : current
  }

  private static func set(_ value: Value, at path: ArraySlice<String>, in object: inout ValueObject) {
    guard let key = path.first else { return }
    if path.count == 1 {
      object[key] = value
      return
    }
    var nested: ValueObject
    switch object[key] {
    case .object(let members): nested = members
    case nil, .null: nested = [:]
    default: return
    }
    set(value, at: path.dropFirst(), in: &nested)
    object[key] = .object(nested)
  }

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

  /// The members of `over` laid over those of `base`, objects inside too.
  static func merge(_ base: ValueObject, _ over: ValueObject) -> ValueObject {
    var merged = base
    for (name, value) in over {
      if case .object(let inner) = value, case .object(let below) = merged[name] {
        merged[name] = .object(merge(below, inner))
      } else {
        merged[name] = value
      }
    }
    return merged
  }
}
