/// A part of a YAML document as it was written: scalars with their spelling, everything with its place.
///
/// ``Value`` is made from this. Formats whose readers decide by the type they want (a string keeps the spelling `0x10`, a
/// flag takes `yes`) read nodes themselves; so do those whose errors name lines.
public struct YAMLNode: Sendable, Hashable {
  public struct Scalar: Sendable, Hashable {
    public let text: String
    /// In full (`tag:yaml.org,2002:str`), as far as one was written.
    public let tag: String?
    /// Not in quotes and no block.
    public let isPlain: Bool
  }

  /// A member of a mapping.
  public struct Member: Sendable, Hashable {
    /// With the spelling it was written with.
    public let key: String
    /// Where the key begins.
    public let line: Int
    public let column: Int
    /// Whether it is a merge key (`<<`), whose value's members count as this mapping's.
    public let isMerge: Bool
    public let value: YAMLNode
  }

  public enum Content: Sendable, Hashable {
    case scalar(Scalar)
    case sequence([YAMLNode])
    /// In order; with keys that are there twice unless they were refused.
    case mapping([Member])
  }

  public let content: Content
  /// Where it begins, from 1; what an alias stands for begins where its anchor is.
  public let line: Int
  public let column: Int

  /// Whether it is null, as every reader of YAML sees it: nothing, `~` or `null`.
  public var isNull: Bool {
    guard case .scalar(let scalar) = content else { return false }
    if let tag = scalar.tag { return tag == "tag:yaml.org,2002:null" }
    return scalar.isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.text)
  }

  /// The members of a mapping with merge keys followed; nil when it is no mapping. A key that is written in the mapping
  /// itself wins over a merged one wherever it stands, and of merged ones the first.
  public var members: [Member]? {
    guard case .mapping(let written) = content else { return nil }
    guard written.contains(where: \.isMerge) else { return written }
    var members = written.filter { !$0.isMerge }
    var keys = Set(members.map(\.key))
    for merge in written where merge.isMerge {
      guard let sources = merge.value.mergeSources else {
        members.append(merge)
        continue
      }
      for member in sources.flatMap({ $0.members ?? [] }) where keys.insert(member.key).inserted {
        members.append(member)
      }
    }
    return members
  }

  /// The mappings that a merge key's value stands for; nil when it is something else.
  var mergeSources: [YAMLNode]? {
    switch content {
    case .mapping: return [self]
    case .sequence(let elements):
      let isMappings = elements.allSatisfy { if case .mapping = $0.content { true } else { false } }
      return isMappings ? elements : nil
    case .scalar: return nil
    }
  }
}

extension YAMLNode {
  /// What it means by YAML 1.1's rules as Ruby applies them.
  ///
  /// - Parameter file: what to call the text in errors.
  /// - Throws: ``DroverError`` when a tag and its text contradict each other.
  public func value(file: String = "YAML") throws -> Value {
    switch content {
    case .scalar(let scalar):
      do {
        return try YAMLScalar.value(scalar.text, tag: scalar.tag, plain: scalar.isPlain)
      } catch {
        throw DroverError(.invalid, "\(file) line \(line) column \(column): \(error)")
      }
    case .sequence(let elements): return .array(try elements.map { try $0.value(file: file) })
    case .mapping(let members): return .object(try Self.object(members, file))
    }
  }

  private static func object(_ members: [Member], _ file: String) throws -> ValueObject {
    var object = ValueObject()
    for member in members {
      let value = try member.value.value(file: file)
      if member.isMerge, let merged = merged(value, into: object) {
        object = merged
      } else {
        object[member.key] = value
      }
    }
    return object
  }

  /// The object with a mapping, or with a sequence of mappings of which the first ones count most, laid over it; nil
  /// when the value is neither, and so is an ordinary member named `<<`.
  private static func merged(_ value: Value, into object: ValueObject) -> ValueObject? {
    switch value {
    case .object(let members): return object.merging(members)
    case .array(let elements):
      var members = ValueObject()
      for element in elements.reversed() {
        guard let next = element.object else { return nil }
        members = members.merging(next)
      }
      return object.merging(members)
    default: return nil
    }
  }
}
