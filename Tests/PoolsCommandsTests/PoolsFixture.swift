import HTTPService
import Logging
import PoolsClient
import PoolsProtocol
import Surroundings
import TestSupport

@testable import Pools
@testable import PoolsAPI

/// Runs a test with a server in memory that has these resources.
///
/// - Parameter answer: what is answered instead, to requests of some paths.
func withPools(
  _ entries: [PoolsConfiguration.Entry], answer: @escaping @Sendable (_ path: String) -> HTTPReply? = { _ in nil },
  _ test: @escaping @Sendable (PoolKeeper, String) async throws -> Void
) async throws {
  let keeper = try await PoolKeeper(
    store: nil, surroundings: .system, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  try await keeper.configure(PoolsConfiguration(entries))
  let calls = PoolCalls(keeper: keeper, users: nil, metrics: PoolMetrics(), surroundings: .system)
  try await withService({ request, body in
    if let reply = answer(request.path) { return reply }
    let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
    let bytes = (try? await body.collect(limit: 1 << 20)) ?? []
    let reply = await calls.reply(
      to: PoolCall(
        method: request.method, path: request.path, query: parts.count > 1 ? parts[1] : "", body: { _ in bytes }))
    return HTTPReply(reply.status, reply.body, type: reply.contentType)
  }) { port in try await test(keeper, "http://127.0.0.1:\(port)") }
}

func poolsClient(_ url: String, _ owner: String) throws -> PoolsClient {
  try PoolsClient(url: url, owner: owner, options: .init(pauses: [], pollInterval: .milliseconds(10)))
}

func poolStates(_ keeper: PoolKeeper, _ type: String) async -> [String: Int] {
  (try? await keeper.metric(type).current) ?? [:]
}
