import AgentProtocol
import Digests
import Formats
import Glibc
import Processes
import Surroundings

/// Leaves an archive of logs on the VM for a user to fetch by ssh (reference/agent.md 11).
struct BundleLogsAction: AgentAction {
  let collector: LogCollector
  let method = AgentMethod.bundleLogs
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let request = try call.reading { try LogRequest(call.arguments[0]) }
    guard let user = try Accounts.find(user: request.owner) else {
      throw DroverError(.notFound, "bundle_logs: there is no user '\(request.owner.prefix(100))'")
    }
    let archive = try await blocking { try collector.collect(request) }
    guard chmod(archive, 0o600) == 0, chown(archive, user.id, user.group) == 0 else {
      throw systemError("giving \(archive) to \(request.owner)")
    }
    let digest = try await blocking {
      var hasher = DigestHasher([.sha512])
      try FileCopy.read(archive) { hasher.update($0) }
      return hasher.finish()
    }
    return ["logs_tar_path": .string(archive), "sha512": .string(digest.description)]
  }
}
