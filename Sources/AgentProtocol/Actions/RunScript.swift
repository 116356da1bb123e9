public import Formats

/// The second argument of `run_script`.
public struct ScriptOptions: Sendable, Hashable {
  /// Added to the script's environment.
  public var environment: [String: String]

  public init(environment: [String: String] = [:]) { self.environment = environment }

  public init(_ value: Value) throws {
    self.init(environment: try FieldReader(value, at: "script options").stringMap("env"))
  }

  public var value: Value { ["env": Value(environment)] }
}

/// The scripts a director runs with `run_script` (reference/agent.md 12).
public enum LifecycleScript: String, Sendable, CaseIterable {
  case preStart = "pre-start"
  case postStart = "post-start"
  case postDeploy = "post-deploy"
  case preStop = "pre-stop"
  case postStop = "post-stop"
}

/// The first argument of `drain`.
public enum DrainKind: String, Sendable {
  case update
  case shutdown
}
