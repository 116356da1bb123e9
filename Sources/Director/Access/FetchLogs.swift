import AgentProtocol
import Archives
import Blobs
import Documents
import Files
import Formats
import Glibc
import Surroundings

/// The work of a `fetch_logs` task: an archive of logs of one instance, or an archive of such archives
/// (reference/director.md A.7). Its result is the id of a blob.
struct FetchLogs: Sendable {
  struct Order: Codable, Sendable {
    var deployment: String
    var target: AccessTarget
    /// `job`, `agent`, `system`, or several joined by commas.
    var types: String
    /// Globs below the logs' folder; none for all.
    var filters: [String]
  }

  let director: Director
  let context: TaskContext
  let order: Order

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: Order.self)
  }

  func run() async throws -> String? {
    let machines = try await director.machines(order.target, of: order.deployment)
    if machines.count == 1 {
      let blob = try await fetch(machines[0])
      try await LogBundles(director: director).keep(blob)
      return blob
    }
    // Once: a server that takes the task up again would look for archives that are deleted.
    let bundle = try await context.once("bundle") { try await makeBundle(machines) }
    try await LogBundles(director: director).keep(bundle.id)
    for part in bundle.parts { try? await director.engines.blobs.delete(part) }
    return bundle.id
  }

  /// An archive of archives, and the blobs that it was made of.
  private struct Bundle: Codable, Sendable {
    var id: String
    var parts: [String]
  }

  private func makeBundle(_ machines: [InstanceRecord]) async throws -> Bundle {
    let fetched = try await inParallel(machines, atMost: 16) { machine -> (InstanceRecord, String)? in
      do {
        return (machine, try await fetch(machine))
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        // The logs of the others are worth having, most of all when one does not answer.
        try await context.warn("The logs of \(machine.label) cannot be had: \(error)")
        return nil
      }
    }.compactMap { $0 }
    guard !fetched.isEmpty else {
      throw DirectorFailure(100, status: 500, "Fetching the logs of '\(order.target)': no agent sent any")
    }
    return Bundle(id: try await pack(fetched), parts: fetched.map(\.1))
  }

  /// - Returns: the id of the blob.
  private func fetch(_ machine: InstanceRecord) async throws -> String {
    guard let vm = machine.vm else { throw DroverError(.notFound, "it has no VM") }
    let identity = RequestIdentity(task: context.id, agent: vm.agentID, step: "\(machine.id) fetch_logs")
    let request = LogRequest(types: order.types, filters: order.filters)
    let agent = director.client(vm.agentID, context.output)
    let stage = context.stage("Fetching logs for \(machine.label)", total: 1)
    return try await stage.step("Finding and packing log files") { _ in
      _ = try await LogArchives(director: director).fetch(request, from: agent, identity)
      return identity.uuid
    }
  }

  private func pack(_ fetched: [(InstanceRecord, String)]) async throws -> String {
    let engines = director.engines
    let id = RequestIdentity(task: context.id, agent: "", step: "bundle of logs").uuid
    let folder = "\(engines.workDirectory)/logs-\(context.id)"
    try? Files.remove(folder)
    guard mkdir(folder, 0o700) == 0 else {
      throw systemError("making \(folder)")
    }
    defer { try? Files.remove(folder) }
    let time = Self.fileTime(engines.surroundings.now())
    for (machine, blob) in fetched {
      try await engines.blobs.copy(blob, to: "\(folder)/\(machine.group).\(machine.id).\(time).tgz")
    }
    let file = "\(folder).tgz"
    defer { unlink(file) }
    try Archives.pack(folder, to: file)
    _ = try await engines.blobs.put(file: file, id: id)
    return id
  }

  /// A time as a part of a file's name: `2026-11-21-15-40-48`.
  private static func fileTime(_ time: Timestamp) -> String {
    String(time.text.prefix(19).map { $0 == ":" || $0 == "T" || $0 == " " ? "-" : $0 })
  }
}
