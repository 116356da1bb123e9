import Files
import Formats
import Glibc
import Logging
import Surroundings

/// Telling the server who is allowed.
extension NATSServer {
  /// Changes the list and waits until the server knows it. Whoever comes meanwhile shares the next reload.
  func change(_ body: (inout Set<AgentIdentity>) -> Void) async throws {
    let before = agents
    body(&agents)
    if agents != before { change += 1 }
    let wanted = change
    while appliedChange < wanted {
      let task = applying ?? Task { try await apply() }
      applying = task
      try await task.value
    }
  }

  private func apply() async throws {
    defer { applying = nil }
    try await surroundings.sleep(configuration.debounce)
    while isLaunching { try await surroundings.sleep(.milliseconds(5)) }
    let writing = try writeAuthorization()
    // A server that is not running reads the file when it starts.
    if process != nil { try await reload() }
    appliedChange = max(appliedChange, writing)
  }

  /// Returns which change is in the file now.
  func writeAuthorization() throws -> Int {
    try Files.makeFolder(files.directory, mode: 0o700)
    try Files.replace(files.authorization, with: NATSAuthorization.text(agents: agents))
    return change
  }

  /// Has the server read its files again, and waits until it says that it did.
  func reload() async throws {
    try await whileLogIsStill { try await reloadAndRead() }
  }

  private func reloadAndRead() async throws {
    guard let process else { return }
    let before = try FileIdentity(files.log)
    process.signal(SIGHUP)
    let began = surroundings.elapsed()
    while process.isRunning, process == self.process {
      switch NATSReload(log: try logged(since: before)) {
      case .done: return
      case .refused(let reason):
        throw DroverError(.failed, "reloading the NATS server at \(url): it refused: \(reason)")
      case nil: break
      }
      guard surroundings.elapsed() - began < configuration.patience else {
        throw DroverError(
          .timeout,
          "reloading the NATS server at \(url): not confirmed after \(configuration.patience); see \(files.log)")
      }
      try await surroundings.sleep(.milliseconds(2))
    }
    // It died meanwhile; the one started in its place reads the new files.
  }
}
