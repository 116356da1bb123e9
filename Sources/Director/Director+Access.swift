import Documents
import Formats

/// People on VMs and their logs, as the API offers them (reference/director.md A.7).
extension Director {
  /// Starts the task that lets somebody in by ssh, or out again.
  public func ssh(_ order: SSHOrder, user: String) async throws -> Int {
    _ = try await deployment(order.deployment)
    return try await tasks.start(
      TaskBoard.Order(
        type: "ssh", description: "ssh: \(order.command.name): \(order.target)", user: user,
        deployment: order.deployment, request: order))
  }

  /// Starts the task that brings logs; its result is the id of the blob.
  ///
  /// - Parameters:
  ///   - types: `job`, `agent`, `system`, or several joined by commas.
  ///   - filters: globs, joined by commas.
  public func fetchLogs(
    _ target: AccessTarget, in name: String, types: String, filters: String, user: String
  ) async throws -> Int {
    _ = try await deployment(name)
    let allowed = ["job", "agent", "system"]
    let wanted = types.split(separator: ",").map(String.init)
    guard !wanted.isEmpty, wanted.allSatisfy(allowed.contains) else {
      throw DroverError(
        .invalid,
        "query parameter 'type': expected some of \(allowed.joined(separator: ", ")), found '\(types.prefix(100))'")
    }
    return try await tasks.start(
      TaskBoard.Order(
        type: "fetch_logs", description: "fetch logs", user: user, deployment: name,
        request: FetchLogs.Order(
          deployment: name, target: target, types: wanted.joined(separator: ","),
          filters: filters.split(separator: ",").map(String.init))))
  }
}
