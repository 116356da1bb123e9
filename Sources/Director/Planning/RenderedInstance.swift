/// What rendering an instance's templates gave, as far as planning needs it.
public struct RenderedInstance: Sendable, Hashable, Codable {
  /// A digest over all rendered files of all jobs; equal files give equal digests.
  public var configurationHash: String
  /// Digests by job.
  public var templateHashes: [String: String]

  public init(configurationHash: String, templateHashes: [String: String]) {
    self.configurationHash = configurationHash
    self.templateHashes = templateHashes
  }
}
