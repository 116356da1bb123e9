public import Surroundings

/// Builds a stemcell for the runc cloud from Debian 12, in BOSH's stemcell format (reference/director.md E.2).
public struct StemcellBuilder: Sendable {
  public struct Configuration: Sendable {
    /// Where root file systems and finished stemcells are kept between builds. Absolute.
    public var cache: String
    /// The agent executable that goes into the stemcell, with the shared libraries that it needs.
    public var agent: String

    public init(cache: String, agent: String) {
      self.cache = cache
      self.agent = agent
    }
  }

  /// A finished stemcell.
  public struct Stemcell: Sendable, Hashable {
    /// The tarball.
    public var path: String
    public var name: String
    public var version: String
    public var operatingSystem: String
    /// Whether it came from the cache as it was.
    public var cached: Bool
  }

  public let configuration: Configuration
  let surroundings: Surroundings

  public init(configuration: Configuration, surroundings: Surroundings = .system) {
    self.configuration = configuration
    self.surroundings = surroundings
  }

  /// Builds the stemcell, or finds it in the cache.
  /// - Parameter progress: gets a line for people at every step.
  public func build(progress: @Sendable (String) -> Void = { _ in }) async throws -> Stemcell {
    throw CloudError(.notImplemented, "not yet")
  }
}
