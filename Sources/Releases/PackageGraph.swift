internal import Formats

/// Which packages need which others of the same release to be compiled. Every dependency is there, and none leads back.
public struct PackageGraph: Sendable, Hashable {
  private let dependencies: [String: [String]]
  /// Every package, those that others depend on first; among equals by name.
  public let order: [String]

  public var names: Set<String> { Set(dependencies.keys) }

  /// - Throws: ``Formats/DroverError`` with code `invalid` that names the missing package or the cycle.
  public init(_ packages: some Sequence<(String, [String])>) throws {
    let dependencies = Dictionary(packages.map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
    for (name, needed) in dependencies.sorted(by: { $0.key < $1.key }) {
      for other in needed where dependencies[other] == nil {
        throw DroverError(.invalid, "package '\(name)' depends on package '\(other)', which is not in the release")
      }
    }
    self.dependencies = dependencies
    order = try Self.sorted(dependencies)
  }

  /// What a package needs at once, in the release's order.
  public func direct(of name: String) -> [String] { dependencies[name] ?? [] }

  /// All that a package needs, also through others, in the order in which it can be compiled; without itself.
  public func all(of name: String) -> [String] {
    var needed: Set<String> = []
    var open = direct(of: name)
    while let next = open.popLast() {
      if needed.insert(next).inserted { open += direct(of: next) }
    }
    return order.filter(needed.contains)
  }

  private static func sorted(_ dependencies: [String: [String]]) throws -> [String] {
    enum Mark { case onPath, done }
    var marks: [String: Mark] = [:]
    var order: [String] = []
    for start in dependencies.keys.sorted() where marks[start] == nil {
      var path: [(name: String, open: [String])] = [(start, (dependencies[start] ?? []).sorted().reversed())]
      marks[start] = .onPath
      while let last = path.indices.last {
        guard let next = path[last].open.popLast() else {
          marks[path[last].name] = .done
          order.append(path.removeLast().name)
          continue
        }
        switch marks[next] {
        case .done: continue
        case .onPath:
          let cycle = path.map(\.name).drop { $0 != next } + [next]
          throw DroverError(.invalid, "packages depend on each other in a circle: \(cycle.joined(separator: " → "))")
        case nil:
          marks[next] = .onPath
          path.append((next, (dependencies[next] ?? []).sorted().reversed()))
        }
      }
    }
    return order
  }
}
