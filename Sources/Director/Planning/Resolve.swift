public import Formats

extension DeploymentInputs {
  /// Looks every name up, places instances and addresses, resolves links.
  ///
  /// - Throws: ``DroverError`` with code `invalid` whose message lists everything that does not fit.
  public func resolve() throws -> ResolvedDeployment {
    throw DroverError(.unsupported, "not there yet")
  }
}

extension ResolvedDeployment {
  /// What templates of that job see as `spec` (`reference/lifecycle.md 4.1`), with `((variables))` still in it.
  ///
  /// - Parameter networks: Settings that the agent has told, for dynamic networks; nil before its VM exists.
  public func templateSpec(of job: ResolvedJob, on instance: ResolvedInstance, networks: ValueObject? = nil) -> Value {
    .null
  }

  /// Decides what has to be done, now that templates are rendered.
  ///
  /// - Parameters:
  ///   - rendered: By instance id; all instances of service groups must be there.
  ///   - compiled: Keys of the compiled packages that exist.
  public func plan(rendered: [String: RenderedInstance], compiled: Set<String>) throws -> DeploymentPlan {
    throw DroverError(.unsupported, "not there yet")
  }
}
