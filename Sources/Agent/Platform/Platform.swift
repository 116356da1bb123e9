import AgentProtocol

/// The kind of machine the agent runs on: how it is made ready, and how disks come to their places.
protocol Platform: Sendable {
  var name: String { get }
  var disks: any DiskAttachment { get }
  /// Makes the machine ready before the agent listens. Errors end the agent, which is then started again.
  ///
  /// - Parameter cloudKey: an ssh key that the cloud wants to let in as vcap.
  func prepare(_ settings: EffectiveSettings, cloudKey: String?) async throws
}
