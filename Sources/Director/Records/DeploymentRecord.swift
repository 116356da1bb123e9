/// A deployment: the manifest that was last deployed in full. Kind `deployment`, named by its name.
public struct DeploymentRecord: Codable, Sendable, Hashable {
  public var name: String
  /// The manifest as it was given, YAML; nil until the first deploy has succeeded.
  public var manifest: String?
  /// Names and versions, `NAME/VERSION`, that the manifest resolved to.
  public var releases: [String]
  public var stemcells: [String]
  /// Ids of the configurations it was deployed with.
  public var configIDs: [Int]
  /// The versions of the variables that it was deployed with, by full names; nil from before there were any.
  public var variables: [String: String]?
  /// Entries of the manifest's `errands` that must have run after the last deploy that changed something, and have not
  /// ended well since.
  public var owedErrands: [String]?
  /// When the manifest was deployed, in seconds since 1970: its schedules count from then on.
  public var deployedAt: Int?

  public init(
    name: String, manifest: String? = nil, releases: [String] = [], stemcells: [String] = [], configIDs: [Int] = []
  ) {
    self.name = name
    self.manifest = manifest
    self.releases = releases
    self.stemcells = stemcells
    self.configIDs = configIDs
  }
}

/// A configuration as it was at one update. Kind `config`, named `TYPE/NAME/ID` with the id padded to ten digits.
public struct ConfigRecord: Codable, Sendable, Hashable {
  public var id: Int
  /// `cloud`, `runtime`, `cpi`, …
  public var type: String
  public var name: String
  /// YAML.
  public var content: String
  /// Seconds since 1970.
  public var createdAt: Int
  /// Kept only for the deployments that were made with it.
  public var deleted: Bool?

  public init(id: Int, type: String, name: String, content: String, createdAt: Int) {
    self.id = id
    self.type = type
    self.name = name
    self.content = content
    self.createdAt = createdAt
  }
}
