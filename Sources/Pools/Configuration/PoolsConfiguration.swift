import Formats

/// A configuration of resources as Boskos has it (reference/boskos.md 4): which static resources there are, and which
/// types are dynamic.
public struct PoolsConfiguration: Sendable, Hashable {
  /// One entry of `resources`.
  public struct Entry: Sendable, Hashable {
    public var type: String
    public var state: String
    /// Of a static entry; empty for a dynamic one.
    public var names: [String]
    public var minimum: Int
    public var maximum: Int
    public var lifespan: Duration?
    public var needs: [String: Int]
    public var construction: LifeCycle.Construction?
    /// Ours; Boskos does not look at it.
    public var policy: TypePolicy

    public init(
      type: String, state: String = "", names: [String] = [], minimum: Int = 0, maximum: Int = 0,
      lifespan: Duration? = nil, needs: [String: Int] = [:], construction: LifeCycle.Construction? = nil,
      policy: TypePolicy = TypePolicy()
    ) {
      self.type = type
      self.state = state
      self.names = names
      self.minimum = minimum
      self.maximum = maximum
      self.lifespan = lifespan
      self.needs = needs
      self.construction = construction
      self.policy = policy
    }

    public var isDynamic: Bool { names.isEmpty }
  }

  public var entries: [Entry]
  /// Whether resources of different types may have the same name. Of one type they never may.
  public var namesAreUniquePerType = false

  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// Reads and checks a file's text, YAML or JSON.
  ///
  /// - Throws: ``DroverError`` with code `invalid` and the original's texts.
  public static func load(_ text: [UInt8]) throws -> PoolsConfiguration {
    let configuration = try parse(text)
    try configuration.validate()
    return configuration
  }

  /// The same without the names of static resources, which may be many.
  var withoutNames: PoolsConfiguration {
    var configuration = self
    for index in entries.indices where !entries[index].isDynamic { configuration.entries[index].names = [""] }
    return configuration
  }

  /// All types, each once, in their order.
  public var types: [String] {
    var seen: Set<String> = []
    return entries.map(\.type).filter { seen.insert($0).inserted }
  }

  /// What is wanted of types beyond what Boskos knows. Of several entries of a type the later ones go over the earlier.
  public var policies: [String: TypePolicy] {
    var policies: [String: TypePolicy] = [:]
    for entry in entries {
      policies[entry.type] = policies[entry.type]?.overlaid(by: entry.policy) ?? entry.policy
    }
    return policies
  }

  /// The life cycles of dynamic types. Of two entries of one type the later one counts.
  var lifeCycles: [String: LifeCycle] {
    var cycles: [String: LifeCycle] = [:]
    for entry in entries where entry.isDynamic {
      cycles[entry.type] = LifeCycle(
        type: entry.type, initialState: entry.state, minimum: entry.minimum, maximum: entry.maximum,
        lifespan: entry.lifespan, needs: entry.needs, construction: entry.construction)
    }
    return cycles
  }

  /// Static resources in the order of the file.
  var orderedStatic: some Sequence<(String, LeaseEngine.StaticResource)> {
    entries.lazy.flatMap { entry in
      entry.names.lazy.map { name in
        (name, LeaseEngine.StaticResource(type: entry.type, state: entry.state.isEmpty ? "free" : entry.state))
      }
    }
  }

  /// Static resources by name, or by name and type where names are unique per type only.
  var staticResources: [String: LeaseEngine.StaticResource] {
    var resources: [String: LeaseEngine.StaticResource] = [:]
    resources.reserveCapacity(entries.reduce(0) { $0 + $1.names.count })
    for (name, resource) in orderedStatic {
      resources[namesAreUniquePerType ? PoolRecord.key(name, resource.type) : name] = resource
    }
    return resources
  }
}
