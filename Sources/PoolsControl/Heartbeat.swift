import Formats
import GoConventions
import PoolsClient
import PoolsProtocol
import Surroundings

/// `boskosctl heartbeat`.
struct Heartbeat: Sendable {
  let client: PoolsClient
  let surroundings: Surroundings
  let output: Boskosctl.Output
  let flags: CobraFlags

  private enum End: Sendable {
    case code(Int32)
    case interrupted
    case timeout
  }

  func run(interrupted: @escaping @Sendable () async -> Void) async -> Int32 {
    let resource: PooledResource
    let hasData: Bool
    do {
      (resource, hasData) = try PooledResource.read(flags.text("resource"))
    } catch {
      output.error("failed to parse resource: \(error)")
      return 1
    }
    let name = GoText.quoted(resource.name)
    let (period, timeout, retries) = (flags.duration("period"), flags.duration("timeout"), flags.int("retries"))
    let end = await withTaskGroup(of: End.self) { group in
      group.addTask { .code(await beat(resource, hasData, period, retries)) }
      group.addTask {
        await interrupted()
        return .interrupted
      }
      group.addTask {
        try? await surroundings.sleep(timeout)
        return .timeout
      }
      let first = await group.next() ?? .timeout
      group.cancelAll()
      return first
    }
    switch end {
    case .code(let code): return code
    case .interrupted: output.standard("received interrupt, stopping heartbeats for resource \(name)")
    case .timeout: output.standard("reached timeout, stopping heartbeats for resource \(name)")
    }
    return 0
  }

  private func beat(_ resource: PooledResource, _ hasData: Bool, _ period: Duration, _ retries: Int) async -> Int32 {
    let name = GoText.quoted(resource.name)
    var failures = 0
    while true {
      do { try await surroundings.sleep(max(period, .milliseconds(1))) } catch { return 0 }
      do {
        try await client.update(
          resource.name, state: resource.state, userData: hasData ? resource.userData : nil)
        failures = 0
        output.standard("heartbeat sent for resource \(name)")
      } catch {
        if Task.isCancelled { return 0 }
        output.error("failed to send heartbeat for resource \(name): \(error)")
        failures += 1
        if failures > retries || Self.isLost(error) { return 1 }
      }
    }
  }

  /// The server knows that somebody else has it, or that nobody does: no later heartbeat will change that.
  private static func isLost(_ error: any Error) -> Bool {
    guard let error = error as? PoolsClientError else { return false }
    if case .failed(let texts) = error {
      return texts.contains {
        $0.hasPrefix("status 401 ") || $0.hasPrefix("status 404 ") || $0.hasPrefix("status 409 ")
      }
    }
    return error.isRefusal
  }
}
