import AsyncHTTPClient
import Formats
import Glibc
import NIOCore
import PoolsProtocol
import Synchronization
import TestSupport
import Testing

/// The promise of the pools: never leased twice, and nothing forgotten, whatever happens to the server.
@Suite("boskos and kill -9", .serialized) struct KillTests {
  private static let clients = 64
  private static let resources = 1000

  @Test("64 clients never hold one resource at once while the server is killed again and again, and no lease is lost")
  func killed() async throws {
    let seconds = 60
    try await withTemporaryFolder { folder in
      try writeTestFile(
        "\(folder)/config.yaml", "resources: [{type: t, names: {prefix: r-, count: \(Self.resources)}}]\n")
      let server = try BoskosProcess(folder: folder)
      let client = HTTPClient(eventLoopGroupProvider: .singleton)
      let ledger = LeaseLedger()
      let url = server.url
      do {
        try await server.startAndWait(client)
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<Self.clients {
            group.addTask { try await LeasingClient("c\(number)", url, client, ledger).run() }
          }
          let end = ContinuousClock.now + .seconds(seconds)
          var restarts = 0
          while ContinuousClock.now < end || restarts < 3 {
            try await Task.sleep(for: .milliseconds(Int.random(in: 500...2500)))
            server.kill()
            try await server.startAndWait(client)
            restarts += 1
            try await check(server, client, ledger)
          }
          ledger.stop()
          try await group.waitForAll()
        }
        let metric = try await client.text("GET", "\(server.url)/metric?type=t").1
        #expect(metric == #"{"type":"t","current":{"free":\#(Self.resources)},"owner":{"":\#(Self.resources)}}"#)
      } catch {
        try? await client.shutdown()
        throw error
      }
      try await client.shutdown()
      server.kill()
      let overlaps = ledger.overlaps
      #expect(overlaps == [])
      #expect(ledger.count > Self.clients)
      print("\(ledger.count) leases by \(Self.clients) clients over \(seconds) s, no two of one resource at once")
    }
  }

  /// Whatever somebody holds by the server's own word, and has not begun to release, the new server knows.
  private func check(_ server: BoskosProcess, _ client: HTTPClient, _ ledger: LeaseLedger) async throws {
    let before = ledger.held
    let text = try await client.text("GET", "\(server.url)/resources?state=busy&limit=10000").1
    let after = ledger.held
    var owners: [String: String] = [:]
    for value in try #require(JSON.parse(text).array) {
      let resource = try PooledResource(json: value)
      owners[resource.name] = resource.owner
    }
    for (name, lease) in before where after[name] == lease { #expect(owners[name] == lease.owner) }
  }
}
