public import Formats
public import Surroundings

/// A cloud behind a CPI executable, run once per call (reference/director.md C.9).
public struct ExternalCPI: Sendable {
  public struct Configuration: Sendable {
    /// The CPI executable's path.
    public var executable: String
    /// Arguments, such as `--config FILE`.
    public var arguments: [String]
    /// The director's id, sent with every request.
    public var directorID: String
    /// Properties of the CPI configuration, sent with every request.
    public var properties: ValueObject
    /// The highest API version to speak.
    public var preferredVersion: Int
    /// `api_version` of the stemcell that the calls are about; sent when known.
    public var stemcellVersion: Int?

    public init(
      executable: String, arguments: [String] = [], directorID: String, properties: ValueObject = [:],
      preferredVersion: Int = 2, stemcellVersion: Int? = nil
    ) {
      self.executable = executable
      self.arguments = arguments
      self.directorID = directorID
      self.properties = properties
      self.preferredVersion = preferredVersion
      self.stemcellVersion = stemcellVersion
    }
  }

  public let configuration: Configuration
  let surroundings: Surroundings
  let log: @Sendable (String) -> Void

  /// - Parameter log: gets what the CPI writes to stderr and its answers' `log`, for the task's `cpi` log.
  public init(
    configuration: Configuration, surroundings: Surroundings = .system, log: @escaping @Sendable (String) -> Void
  ) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.log = log
  }
}
