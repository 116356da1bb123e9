/// A package compiled for one stemcell: what has to be there, under which key.
public struct CompilationTarget: Sendable, Hashable {
  public var release: String
  public var package: PackageRecord
  /// `os/version`.
  public var stemcell: String
  /// ``CompiledPackageRecord/key``.
  public var key: String
  /// Keys of the direct dependencies, in the order of their names.
  public var dependencies: [String]
  /// Keys of all dependencies, direct and not, in the order of their names.
  public var transitiveDependencies: [String]

  public var label: String { "\(package.name)/\(package.fingerprint)" }
}

/// All packages that a deployment needs, for the stemcells that it needs them for, in an order in which each comes
/// after its dependencies.
public struct CompilationGraph: Sendable, Hashable {
  public internal(set) var targets: [CompilationTarget]

  public func target(_ key: String) -> CompilationTarget? { targets.first { $0.key == key } }

  /// What has to be compiled when these keys exist already, in an order that works. A dependency that is only needed to
  /// compile what exists is left out.
  public func missing(_ compiled: Set<String>) -> [CompilationTarget] {
    var wanted: Set<String> = []
    for target in targets.reversed() where isNeededAtRunTime(target) || wanted.contains(target.key) {
      guard !compiled.contains(target.key) else { continue }
      wanted.insert(target.key)
      wanted.formUnion(target.transitiveDependencies)
    }
    return targets.filter { wanted.contains($0.key) && !compiled.contains($0.key) }
  }

  /// Of the missing, those whose dependencies are all there: they can be compiled now.
  public func ready(_ compiled: Set<String>, running: Set<String> = []) -> [CompilationTarget] {
    missing(compiled).filter { target in
      !running.contains(target.key) && target.dependencies.allSatisfy(compiled.contains)
    }
  }

  /// Keys that jobs need at run time.
  public internal(set) var runTimeKeys: Set<String>
  private func isNeededAtRunTime(_ target: CompilationTarget) -> Bool { runTimeKeys.contains(target.key) }
}
