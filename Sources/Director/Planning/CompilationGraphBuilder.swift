import Digests
import Formats

/// Finds all packages that jobs need, and in which order they can be compiled (`reference/director.md C.3`).
struct CompilationGraphBuilder {
  private(set) var graph = CompilationGraph(targets: [], runTimeKeys: [])
  /// Targets that were visited, by release, version, package and stemcell.
  private var visited: [String: CompilationTarget] = [:]

  /// Adds what the jobs of a group need.
  ///
  /// - Throws: ``DroverError`` when a dependency is missing or packages depend on each other in a circle.
  mutating func add(_ group: ResolvedGroup, releases: [ReleaseRecord]) throws {
    for job in group.jobs {
      guard let release = releases.first(where: { $0.name == job.release }) else { continue }
      for package in job.packages {
        let target = try visit(package, release, group.stemcell.compilationTarget, path: [])
        graph.runTimeKeys.insert(target.key)
      }
    }
  }

  private mutating func visit(
    _ package: PackageRecord, _ release: ReleaseRecord, _ stemcell: String, path: [String]
  ) throws -> CompilationTarget {
    let place = "\(release.name)/\(release.version)/\(package.name)@\(stemcell)"
    if let target = visited[place] { return target }
    guard !path.contains(package.name) else {
      throw DroverError(
        .invalid,
        "Release '\(release.name)/\(release.version)': packages depend on each other in a circle: "
          + (path + [package.name]).joined(separator: " -> "), number: 30012)
    }
    var dependencies: [CompilationTarget] = []
    for name in Set(package.dependencies).sorted() {
      guard let dependency = release.packages.first(where: { $0.name == name }) else {
        throw DroverError(
          .invalid,
          "Package '\(package.name)' needs package '\(name)', which release '\(release.name)/\(release.version)' "
            + "doesn't have", number: 30012)
      }
      dependencies.append(try visit(dependency, release, stemcell, path: path + [package.name]))
    }
    let all = Set(dependencies.map(\.key)).union(dependencies.flatMap(\.transitiveDependencies))
    let names = Dictionary(graph.targets.map { ($0.key, $0.package.name) }, uniquingKeysWith: { first, _ in first })
    let target = CompilationTarget(
      release: release.name, package: package, stemcell: stemcell,
      key: CompiledPackageRecord.key(package, dependencies: dependencies.map(\.key), stemcell: stemcell),
      dependencies: dependencies.map(\.key),
      transitiveDependencies: all.sorted { (names[$0] ?? "", $0) < (names[$1] ?? "", $1) })
    visited[place] = target
    // The same package in two releases is compiled once.
    if graph.target(target.key) == nil { graph.targets.append(target) }
    return target
  }
}

extension CompiledPackageRecord {
  /// Digest over name, fingerprint, the dependencies' keys and the stemcell.
  ///
  /// - Parameter dependencies: Keys of the direct dependencies, in the order of their names.
  static func key(_ package: PackageRecord, dependencies: [String], stemcell: String) -> String {
    let identity: Value = [
      .string(package.name), .string(package.fingerprint), Value(dependencies), .string(stemcell),
    ]
    return DigestHasher.hex(.sha256, JSON.bytes(identity))
  }
}
