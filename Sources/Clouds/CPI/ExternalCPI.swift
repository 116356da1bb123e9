public import Formats
import Processes
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

extension ExternalCPI {
  /// Runs the executable for one call.
  ///
  /// Its environment is clean. What it says on stderr goes to the log; its exit status is ignored, as a CPI says what
  /// went wrong in its answer.
  /// - Throws: the answer's ``CloudError``; one of kind `CpiError` when there is no answer.
  public func call(_ method: String, _ arguments: [Value], version: Int?) async throws -> Value {
    var command = Command([configuration.executable] + configuration.arguments)
    command.environment = [
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp",
    ]
    command.input = CPIRequest(
      method: method, arguments: arguments, context: context(), apiVersion: version
    ).encoded()
    let result: CommandResult
    do { result = try await command.result() } catch let error as DroverError {
      throw CloudError(.cpiError, "running the CPI \(configuration.executable) for \(method): \(error)")
    }
    if !result.errors.isEmpty { log(String(decoding: result.errors, as: UTF8.self)) }
    let response: CPIResponse
    do { response = try CPIResponse(result.output) } catch let error as CloudError {
      throw CloudError(error.kind, "\(method): \(error.message); the CPI \(result.ending)")
    }
    if !response.log.isEmpty { log(response.log) }
    if let error = response.error { throw error }
    return response.result
  }

  private func context() -> ValueObject {
    let number = surroundings.randomBytes(4).reduce(0) { $0 << 8 | Int($1) } % 1_000_000
    let digits = String(number)
    let request = "cpi-" + String(repeating: "0", count: 6 - digits.count) + digits
    var context: ValueObject = [
      "director_uuid": .string(configuration.directorID), "request_id": .string(request),
    ]
    if let version = configuration.stemcellVersion {
      context["vm"] = ["stemcell": ["api_version": .int(version)]]
    }
    return context.merging(configuration.properties)
  }
}
