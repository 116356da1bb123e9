import OrderedCollections

/// A value of a JSON or YAML document, as it was written: integers stay integers and members keep their order.
///
/// Foreign formats (manifests, release specs, agent envelopes) are read into a `Value` and from there into types with
/// ``FieldReader``, which knows where in the document it is. Equality ignores the order of an object's members.
public enum Value: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([Value])
  case object(ValueObject)
}

/// The members of a JSON object or YAML mapping, in the order they were written. Equality ignores that order.
public struct ValueObject: Sendable {
  private var storage: OrderedDictionary<String, Value>

  /// An object without members.
  public init() { storage = [:] }

  /// An object with these members in this order; of members with the same name the last one counts.
  public init(_ members: some Sequence<(String, Value)>) {
    storage = OrderedDictionary(members, uniquingKeysWith: { _, last in last })
  }

  /// The member of that name; setting `nil` removes it, setting a new one appends it.
  public subscript(name: String) -> Value? {
    get { storage[name] }
    set { storage[name] = newValue }
  }

  public var count: Int { storage.count }
  public var isEmpty: Bool { storage.isEmpty }
  /// The members' names, in order.
  public var keys: [String] { Array(storage.keys) }
  /// The members' values, in order.
  public var values: [Value] { Array(storage.values) }

  /// This object with its members sorted by name (not those of nested objects).
  public func sorted() -> ValueObject { ValueObject(sorted { $0.key < $1.key }.map { ($0.key, $0.value) }) }

  /// The members of `other` laid over these, not looking inside nested objects.
  public func merging(_ other: ValueObject) -> ValueObject {
    var merged = self
    for (name, value) in other { merged[name] = value }
    return merged
  }
}

extension ValueObject: Sequence {
  public typealias Element = (key: String, value: Value)

  public func makeIterator() -> Iterator { Iterator(members: storage.elements.makeIterator()) }

  /// Goes through the members in their order.
  public struct Iterator: IteratorProtocol {
    fileprivate var members: OrderedDictionary<String, Value>.Elements.Iterator

    public mutating func next() -> Element? { members.next().map { (key: $0.key, value: $0.value) } }
  }
}

extension ValueObject: Hashable {
  public static func == (left: ValueObject, right: ValueObject) -> Bool {
    left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
  }

  public func hash(into hasher: inout Hasher) {
    var combined = 0
    for (name, value) in self {
      var member = Hasher()
      member.combine(name)
      member.combine(value)
      combined ^= member.finalize()
    }
    hasher.combine(combined)
  }
}

extension ValueObject: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements.map { ($0.0, $0.1) }) }
}

extension Value {
  /// The string, or nil when this is anything else. Numbers and booleans are not turned into strings.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var int: Int? { if case .int(let value) = self { value } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var array: [Value]? { if case .array(let value) = self { value } else { nil } }
  public var object: ValueObject? { if case .object(let value) = self { value } else { nil } }
  public var isNull: Bool { self == .null }

  /// The number, whether it was written as an integer or not.
  public var double: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }

  /// The member of that name, or nil when there is none or this is not an object.
  public subscript(name: String) -> Value? { object?[name] }

  /// The element at that place, or nil when there is none or this is not an array.
  public subscript(index: Int) -> Value? {
    guard let array, array.indices.contains(index) else { return nil }
    return array[index]
  }

  /// What this is, for an error message: "a string", "an array", …
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .double: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Value...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, Value)...) {
    self = .object(ValueObject(elements.map { ($0.0, $0.1) }))
  }
  public init(nilLiteral: ()) { self = .null }
}

extension Value {
  /// The string, or `null` when there is none.
  public init(_ string: String?) { self = string.map(Value.string) ?? .null }
  /// The integer, or `null` when there is none.
  public init(_ int: Int?) { self = int.map(Value.int) ?? .null }
  /// An array of strings.
  public init(_ strings: [String]) { self = .array(strings.map(Value.string)) }
}
