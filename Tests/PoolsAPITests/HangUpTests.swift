import AsyncHTTPClient
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import PoolsProtocol
import ServiceLifecycle
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI

/// Clients that wait in a call and go away, on real connections.
@Suite(.timeLimit(.minutes(5))) struct HangUpTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// A server with one resource, which somebody holds.
  private func withServer(
    _ test: (PoolKeeper, _ port: Int, ServiceGroup) async throws -> Void
  ) async throws {
    let keeper = try await PoolKeeper(store: nil, surroundings: .system, logger: Self.logger)
    try await keeper.configure(PoolsConfiguration([.init(type: "t", names: ["a"])]))
    _ = try await keeper.acquire(names: ["a"], state: "free", destination: "busy", owner: "other")
    let calls = PoolCalls(keeper: keeper, users: nil, metrics: PoolMetrics(), surroundings: .system)
    let (readiness, port) = (Readiness(), try freePort())
    let group = ServiceGroup(
      services: [PoolsFace.api(calls, readiness, address: "127.0.0.1", port: port, logger: Self.logger)],
      logger: Self.logger)
    let running = Task { try await group.run() }
    while !readiness.isReady { try await Task.sleep(for: .milliseconds(2)) }
    do {
      try await test(keeper, port, group)
    } catch {
      await group.triggerGracefulShutdown()
      throw error
    }
    await group.triggerGracefulShutdown()
    try await running.value
  }

  private func send(_ text: String, to port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(connected == 0)
    let bytes = Array(text.utf8)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
    return descriptor
  }

  @Test("who hangs up while waiting in line is given nothing", arguments: ["", "&request_id=r1"])
  func hangUp(identity: String) async throws {
    try await withServer { keeper, port, _ in
      let target = "/acquire?type=t&state=free&dest=busy&owner=me&wait=5m\(identity)"
      let connection = try send("POST \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", to: port)
      while await keeper.sleepers.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
      close(connection)
      while await !keeper.sleepers.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
      // Who has no name for his place in line has lost it; the other keeps it for a while, as if he had asked once.
      if identity.isEmpty { while await keeper.waiting > 0 { try await Task.sleep(for: .milliseconds(2)) } }
      try await keeper.release("a", destination: "free", owner: "other")
      try await Task.sleep(for: .milliseconds(50))
      #expect(try await keeper.metric("t").current == ["free": 1])
    }
  }

  @Test("a call that waits is answered also when it has a body, of whatever size")
  func body() async throws {
    try await withServer { _, port, _ in
      let url = "http://127.0.0.1:\(port)/acquire?type=t&state=free&dest=busy&owner=me&wait=100ms"
      for size in [3, 3_000_000] {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes([UInt8](repeating: 0, count: size))
        let response = try await HTTPClient.shared.execute(request, timeout: .minutes(4))
        #expect(response.status.code == 404)
      }
    }
  }

  @Test("a server that is told to stop answers those who wait")
  func shutdown() async throws {
    try await withServer { keeper, port, group in
      let url = "http://127.0.0.1:\(port)/acquire?type=t&state=free&dest=busy&owner=me&wait=5m"
      var request = HTTPClientRequest(url: url)
      request.method = .POST
      let asked = request
      let answer = Task { try await HTTPClient.shared.execute(asked, timeout: .minutes(4)) }
      while await keeper.sleepers.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
      await group.triggerGracefulShutdown()
      let response = try await answer.value
      #expect(response.status.code == 404 && response.headers.first(name: "retry-after") == "3")
      #expect(response.headers.first(name: "connection") == "close")
    }
  }
}
