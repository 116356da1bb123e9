import Clouds
import Formats
import Logging

/// Makes and deletes VMs together with what belongs to them: an identity on the bus, an agent that answers.
struct VMs: Sendable {
  let director: Director

  private var engines: DirectorEngines { director.engines }

  /// Makes a VM and returns its id in the cloud, as soon as the cloud has it.
  ///
  /// Asking again with the same agent id, after a restart of the server, makes no second one where the CPI is idempotent
  /// by agent id, as the runc cloud is.
  func create(_ order: VMOrder, _ context: TaskContext) async throws -> String {
    await context.output.debug("INFO -- agent.\(order.agentID): asking the cloud for its VM")
    let bus = try await engines.identities.issue(order.agentID)
    let request = order.request(bus: bus, blobs: engines.blobAddresses)
    var attempt = 1
    while true {
      do {
        return try await engines.cloud.createVM(request).id
      } catch let error as CloudError where error.okToRetry && attempt < 5 {
        attempt += 1
      }
    }
  }

  /// How long the agent of a new VM may take to answer.
  static let agentPatience: Duration = .seconds(600)

  /// Waits until the agent of a new VM answers, and says so in the task's events when that takes long.
  func waitForAgent(_ agentID: String, of what: String, _ context: TaskContext) async throws {
    try await director.client(agentID, context.output)
      .waitUntilReady(timeout: Self.agentPatience, cancellation: context.cancellation) { waited in
        try await context.warn(
          "\(what): its agent '\(agentID)' has not answered for \(waited.components.seconds) s; waiting up to "
            + "\(Self.agentPatience.components.seconds) s (cancel-task \(context.id) ends it)")
      }
    await context.output.debug("INFO -- agent.\(agentID): answered")
  }

  /// Deletes a VM, which may be gone already, and its identity. One of which no id is known was perhaps made when the
  /// server was killed: the cloud is asked for it.
  func delete(agentID: String, cid: String?) async throws {
    var found = cid
    if found == nil { found = try await engines.cloud.vm(ofAgent: agentID) }
    if let cid = found {
      do {
        try await engines.cloud.deleteVM(cid)
      } catch let error as CloudError where error.kind == .vmNotFound {
        engines.logger.info("a VM to be deleted is gone already", metadata: ["vm": "\(cid)"])
      }
    }
    try await engines.identities.withdraw(agentID)
  }
}
