import Files
import Formats
import Glibc
import Logging
import Surroundings

/// The server's process: its files, its start, finding it again, its end.
extension NATSServer {
  private var arguments: [String] { [configuration.executable, "-c", files.configuration] }

  /// Writes everything the server reads. Returns whether a server that runs can take it over without a restart.
  func writeFiles() throws -> Bool {
    try Files.makeFolder(files.directory, mode: 0o700)
    let text = files.text(configuration)
    let isSame = try Files.text(files.configuration) == text
    try Files.replace(files.certificate, with: configuration.certificatePEM, mode: 0o644)
    try Files.replace(files.key, with: configuration.key.reveal())
    try Files.replace(files.authority, with: configuration.caPEM, mode: 0o644)
    if change == 0, let kept = try Files.text(files.authorization) {
      do { agents = try NATSAuthorization.agents(in: kept) } catch {
        logger.error("the list of agents can't be read and begins anew", metadata: ["error": "\(error)"])
      }
    }
    try Files.replace(files.authorization, with: NATSAuthorization.text(agents: agents))
    try Files.replace(files.configuration, with: text)
    return isSame
  }

  /// The process that runs with our configuration: the one written down, or else, if we died between its start and
  /// writing it down, the one that has our file as its argument.
  func findProcess() -> NATSProcess? {
    if let text = try? Files.text(files.process), let recorded = NATSProcessRecord.process(text),
      recorded.isRunning, recorded.hasArguments(arguments)
    {
      return recorded
    }
    return NATSProcess.all(withArguments: arguments).first
  }

  /// Starts a new process and waits until it answers.
  func launch() async throws {
    isLaunching = true
    defer { isLaunching = false }
    let change = try writeAuthorization()
    let logged = try Files.size(files.log) ?? 0
    let process = try NATSProcess(arguments, log: files.log)
    try Files.replace(files.process, with: NATSProcessRecord.text(process))
    logger.info("started the NATS server", metadata: ["pid": "\(process.pid)", "url": "\(url)"])
    let began = surroundings.elapsed()
    while try !isReady(after: logged) {
      guard process.isRunning else {
        await process.waitForExit()
        throw DroverError(
          .failed, "starting \(configuration.executable) at \(url): it ended at once: \(reason(after: logged))")
      }
      guard surroundings.elapsed() - began < configuration.patience else {
        throw DroverError(
          .timeout,
          "starting \(configuration.executable) at \(url): no answer after \(configuration.patience): "
            + reason(after: logged))
      }
      try await surroundings.sleep(.milliseconds(10))
    }
    self.process = process
    openLog = try FileIdentity(files.log)
    appliedChange = max(appliedChange, change)
  }

  /// Asks the process to end, and makes it if it doesn't.
  func end(_ process: NATSProcess) async {
    process.signal(SIGTERM)
    let began = surroundings.elapsed()
    while process.isRunning {
      if surroundings.elapsed() - began > configuration.patience { process.signal(SIGKILL) }
      guard (try? await surroundings.sleep(.milliseconds(10))) != nil else { break }
    }
    await process.waitForExit()
    unlink(files.process)
  }

  /// Why the server does not go on, by what it has logged.
  private func reason(after offset: Int) -> String {
    let text = (try? Files.read(files.log, offset: offset, maximum: 64 << 20)) ?? []
    return NATSLogExcerpt.reason(in: String(decoding: text, as: UTF8.self))
  }

  /// Whether the server has said that it takes connections. Asking its port would not do: somebody else may be there.
  private func isReady(after offset: Int) throws -> Bool {
    String(decoding: try Files.read(files.log, offset: offset, maximum: 64 << 20), as: UTF8.self).contains(
      "Server is ready")
  }
}
