/// What a deploy is asked to do, as the API takes it (reference/director.md A.5).
public struct DeployOrder: Codable, Sendable, Hashable {
  /// YAML.
  public var manifest: String
  public var recreate = false
  /// Make the VMs of agents that do not answer anew.
  public var fix = false
  /// Plan, print the plan, do nothing.
  public var dryRun = false
  public var skipDrain: String?
  public var canaries: String?
  public var maxInFlight: String?
  /// The configurations that were shown to the user; nil for the newest ones.
  public var configIDs: [Int]?
  /// What operators want of instances (`bosh stop web/0`).
  public var changes: [StateChange]?
  /// Deploy what was deployed last again: its configurations, and the very releases and stemcells that it had.
  public var keepsVersions: Bool?
  /// The id of the only instance that is touched; nil for all.
  public var onlyInstance: String?

  public init(manifest: String) { self.manifest = manifest }

  func options(unresponsive: Set<String>, finished: Set<String> = []) throws -> DeployOptions {
    DeployOptions(
      recreate: recreate, unresponsive: unresponsive, canaries: canaries, maxInFlight: maxInFlight,
      skipDrain: try skipDrain.map { try SkipDrain($0) } ?? SkipDrain(), changes: changes ?? [], finished: finished)
  }
}

/// What a deploy was decided from, kept so that a server that takes it up again decides the same (design D7).
struct PinnedInputs: Codable, Sendable {
  var configIDs: [Int]
  /// Documents' names of the releases and stemcells that were there.
  var releases: [String]
  var stemcells: [String]
  var unresponsive: Set<String>
  /// Nil in what a server from before there were variables has pinned.
  var hasVariables: Bool?
}
