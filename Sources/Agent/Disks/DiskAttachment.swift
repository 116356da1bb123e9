import AgentProtocol

/// How a platform brings a persistent disk to its place. Errors name the disk and what was found.
protocol DiskAttachment: Sendable {
  /// Whether a hint says enough to find a disk by it; the disk need not be there yet.
  func check(_ hint: DiskHint) throws
  /// Where the disk itself is; waited for if it takes a while to appear.
  func path(_ hint: DiskHint) async throws -> String
  func isMounted(_ hint: DiskHint) async throws -> Bool
  func isMounted(_ hint: DiskHint, on point: String) async throws -> Bool
  /// - Parameter mayMake: whether a blank disk may be partitioned and get a file system. A disk that was in use before
  ///   is not blank: what looks like it then is another one.
  func mount(_ hint: DiskHint, on point: String, mayMake: Bool) async throws
  func unmount(_ point: String) async throws
  /// Whether what is mounted there may be changed.
  func setWritable(_ point: String, _ isWritable: Bool) throws
}
