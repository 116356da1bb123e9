import AgentProtocol
import Archives
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Compiles one package at a time on a machine that has nothing else (reference/agent.md 11).
///
/// A task that is begun again after a restart of the agent finds its packaging script by the runner, and its result in
/// the run's folder, so that neither is made twice.
struct PackageCompiler: Sendable {
  let layout: VMLayout
  let ownership: Ownership
  let installer: BundleInstaller
  let blobs: AgentBlobs
  let runner: ScriptRunner
  let environment: ScriptEnvironment
  let surroundings: Surroundings

  /// What one compilation works on.
  private struct Work: Sendable {
    let request: CompileRequest
    let target: Bundle
    let source: String
    let runID: String
    /// There when the source was a plain tar: then so is the result.
    let plainMark: String
    let resultFile: String
  }

  func compile(_ request: CompileRequest, _ call: TaskCall) async throws -> CompileResult {
    let name = try SafeName.component(request.name, "package")
    let runID = TaskScripts.packaging(call.taskID)
    let work = Work(
      request: request, target: try Bundle(.packages, name: name, version: request.version, digest: nil),
      source: "\(layout.compile)/\(name)", runID: runID, plainMark: "\(layout.compile)/.plain",
      resultFile: "\(layout.compile)/.result-\(call.taskID)")
    if try Files.exists(work.resultFile) {
      try await blocking { try cleanUp(work) }
      return try CompileResult(JSON.parse(Files.read(work.resultFile)))
    }
    do {
      let result = try await compile(work, call)
      try Files.replace(work.resultFile, with: JSON.bytes(result.value))
      try await blocking { try cleanUp(work) }
      return result
    } catch {
      // The agent ends, and its next life goes on with what is there.
      if Task.isCancelled { throw error }
      try? await blocking { try cleanUp(work) }
      throw DroverError(BundleInstaller.code(error), "Compiling package \(name)", cause: error)
    }
  }

  private func compile(_ work: Work, _ call: TaskCall) async throws -> CompileResult {
    if try runner.attach(id: work.runID) == nil { try await prepare(work) }
    if try Files.exists("\(work.source)/packaging") { try await runPackaging(work, call) }
    let archive = try blobs.temporaryFile()
    defer { try? Files.remove(archive) }
    let options = Archives.PackOptions(compression: try Files.exists(work.plainMark) ? .none : .gzip(level: 6))
    let target = work.target.folder(layout)
    try await blocking { _ = try Archives.pack(target, to: archive, options: options) }
    if work.request.uploadURL.isEmpty {
      let (id, sha1) = try await blobs.create(archive)
      return CompileResult(blobstoreID: id, sha1: sha1)
    }
    let digest = try await blobs.put(
      archive, to: work.request.uploadURL, headers: work.request.blobstoreHeaders)
    return CompileResult(blobstoreID: nil, sha1: digest)
  }

  /// Only the dependencies installed, the source unpacked, an empty target linked.
  private func prepare(_ work: Work) async throws {
    let request = work.request
    guard !request.blobstoreID.isEmpty || !request.sourceURL.isEmpty else {
      throw DroverError(
        .invalid, "Fetching package \(request.name): No blobstore reference for package '\(request.name)'")
    }
    try await blocking {
      try installer.keepOnly([], .packages)
      try Files.remove(layout.compile)
    }
    try ownership.folder(layout.compile, 0o755)
    for dependency in request.dependencies {
      try await installer.install(dependency)
      try installer.link(Bundle(dependency))
    }
    let source = AgentBlobs.Source(
      blobstoreID: request.blobstoreID, signedURL: request.sourceURL, headers: request.blobstoreHeaders)
    let archive = try await blobs.fetch(source, digest: request.digest)
    defer { try? Files.remove(archive) }
    if try Files.read(archive, offset: 0, maximum: 2) != [0x1F, 0x8B] { try Files.replace(work.plainMark, with: []) }
    try await blocking { _ = try Archives.unpack(archive, into: work.source, options: .package) }
    try installer.makeEmpty(work.target)
    try installer.link(work.target)
    try Files.remove(layout.compilationLogs)
    try ownership.folder(layout.compilationLogs, 0o750)
  }

  private func runPackaging(_ work: Work, _ call: TaskCall) async throws {
    let variables = [
      "BOSH_COMPILE_TARGET": work.source, "BOSH_INSTALL_TARGET": work.target.link(layout),
      "BOSH_PACKAGE_NAME": work.request.name, "BOSH_PACKAGE_VERSION": work.request.version,
    ]
    let spec = ScriptSpec(
      ["/bin/bash", "-x", "packaging"], environment: environment.with(variables), directory: work.source,
      stdout: .append("\(layout.compilationLogs)/packaging.stdout.log"),
      stderr: .append("\(layout.compilationLogs)/packaging.stderr.log"))
    let script = try await runner.start(id: work.runID, spec)
    let exit = try await TaskScripts.wait(script, call.cancellation, surroundings)
    if exit == .exited(0) { return }
    let doing = "Running packaging script: Running packaging script: "
    guard let code = exit.code else { throw DroverError(.failed, "\(doing)\(exit)") }
    let out = try Self.tail(script, .stdout, "stdout")
    let err = try Self.tail(script, .stderr, "stderr")
    throw DroverError(.failed, "\(doing)Command exited with \(code); \(out), \(err)")
  }

  /// The last 10 KiB of a stream under its title.
  private static func tail(_ script: RunningScript, _ stream: OutputStream, _ title: String) throws -> String {
    let limit = 10 << 10
    let size = script.outputSize(stream)
    let bytes = try script.readOutput(stream, offset: max(0, size - limit), maximum: limit)
    let heading = size > limit ? "Truncated \(title)" : title.prefix(1).uppercased() + title.dropFirst()
    return "\(heading): \(String(decoding: bytes, as: UTF8.self))"
  }

  /// Leaves nothing of the compilation but its logs, also after a failure.
  private func cleanUp(_ work: Work) throws {
    try installer.keepOnly([], .packages)
    try Files.remove(work.source)
    try Files.remove(work.plainMark)
  }
}
