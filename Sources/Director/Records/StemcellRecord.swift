/// A stemcell that was uploaded. Kind `stemcell`, named `NAME/VERSION`.
public struct StemcellRecord: Codable, Sendable, Hashable {
  public var name: String
  public var version: String
  public var operatingSystem: String
  /// The id that the CPI gave it.
  public var cid: String
  public var apiVersion: Int

  public init(name: String, version: String, operatingSystem: String, cid: String, apiVersion: Int) {
    self.name = name
    self.version = version
    self.operatingSystem = operatingSystem
    self.cid = cid
    self.apiVersion = apiVersion
  }

  /// What packages are compiled for: `os/version`.
  public var compilationTarget: String { "\(operatingSystem)/\(version)" }
}
