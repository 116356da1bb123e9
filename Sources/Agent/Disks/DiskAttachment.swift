import AgentProtocol

/// How a platform brings a persistent disk to its place. Errors name the disk and what was found.
protocol DiskAttachment: Sendable {
  /// Where the disk itself is.
  func path(_ hint: DiskHint) throws -> String
  func isMounted(_ hint: DiskHint) throws -> Bool
  func isMounted(_ hint: DiskHint, on point: String) throws -> Bool
  func mount(_ hint: DiskHint, on point: String) async throws
  func unmount(_ point: String) async throws
  /// Whether what is mounted there may be changed.
  func setWritable(_ point: String, _ isWritable: Bool) throws
}
