import AsyncHTTPClient
import Formats
import NIOCore
import NIOHTTP1
import PoolsProtocol
import Synchronization
import TestSupport

extension HTTPClient {
  func text(_ method: String, _ url: String) async throws -> (Int, String) {
    var request = HTTPClientRequest(url: url)
    request.method = HTTPMethod(rawValue: method)
    let response = try await execute(request, timeout: .seconds(10))
    let body = try await response.body.collect(upTo: 8 << 20)
    return (Int(response.status.code), String(buffer: body))
  }
}

/// A server of a test, which can be killed and started again.
final class BoskosProcess {
  let url: String
  private let arguments: [String]
  private let health: String
  private var process: TestProcess?

  init(folder: String, extra: [String] = []) throws {
    let (port, healthPort, metricsPort) = (try freePort(), try freePort(), try freePort())
    url = "http://127.0.0.1:\(port)"
    health = "http://127.0.0.1:\(healthPort)/healthz/ready"
    arguments =
      [
        "-config=\(folder)/config.yaml", "-data=\(folder)/boskos.db", "-port=\(port)", "-health-port=\(healthPort)",
        "-metrics-port=\(metricsPort)", "-log-level=error",
      ] + extra
  }

  func startAndWait(_ client: HTTPClient) async throws {
    process = try TestProcess(program: "boskos", arguments)
    for _ in 0..<3000 {
      if let answer = try? await client.text("GET", health), answer.0 == 200 { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw DroverError(.timeout, "waiting for the server: it did not become ready")
  }

  func kill() { process?.kill() }
}

/// Who held what, and when, by the records of the clients.
final class LeaseLedger: Sendable {
  struct Lease: Hashable, Sendable {
    var name: String
    var owner: String
    var begin: ContinuousClock.Instant
    var end: ContinuousClock.Instant?
  }

  private struct State {
    var leases: [Lease] = []
    var held: [String: Lease] = [:]
    var doubles: [String] = []
    var isStopped = false
  }

  private let state = Mutex(State())

  var isStopped: Bool { state.withLock { $0.isStopped } }
  func stop() { state.withLock { $0.isStopped = true } }
  var held: [String: Lease] { state.withLock { $0.held } }
  var count: Int { state.withLock { $0.leases.count } }

  func begin(_ name: String, _ owner: String) {
    state.withLock { state in
      if let other = state.held[name] { state.doubles.append("\(name): \(other.owner) and \(owner)") }
      state.held[name] = Lease(name: name, owner: owner, begin: .now)
    }
  }

  /// To be called before the release is sent.
  func end(_ name: String) {
    state.withLock { state in
      guard var lease = state.held.removeValue(forKey: name) else { return }
      lease.end = .now
      state.leases.append(lease)
    }
  }

  /// Resources that two held at once: seen at the time, or found in the intervals afterwards.
  var overlaps: [String] {
    state.withLock { state in
      var found = state.doubles
      for (name, leases) in Dictionary(grouping: state.leases, by: \.name) {
        let sorted = leases.sorted { $0.begin < $1.begin }
        for (earlier, later) in zip(sorted, sorted.dropFirst()) {
          if let end = earlier.end, later.begin < end { found.append(name) }
        }
      }
      return found
    }
  }
}

/// Leases and releases, and asks again whenever the server is gone.
struct LeasingClient: Sendable {
  let owner: String
  let url: String
  let client: HTTPClient
  let ledger: LeaseLedger

  init(_ owner: String, _ url: String, _ client: HTTPClient, _ ledger: LeaseLedger) {
    (self.owner, self.url, self.client, self.ledger) = (owner, url, client, ledger)
  }

  func run() async throws {
    var number = 0
    while !ledger.isStopped {
      number += 1
      let (status, text) = try await insist(
        "/acquire?type=t&state=free&dest=busy&owner=\(owner)&request_id=\(owner)-\(number)&idempotent=true")
      guard status == 200 else {
        guard status == 404 else { throw DroverError(.failed, "acquire: \(status) \(text)") }
        continue
      }
      let name = try PooledResource(json: JSON.parse(text)).name
      ledger.begin(name, owner)
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...20)))
      ledger.end(name)
      let (released, message) = try await insist("/release?name=\(name)&dest=free&owner=\(owner)")
      // A release whose answer was lost may have been done, and the resource may be somebody else's by now.
      guard released == 200 || released == 401 else { throw DroverError(.failed, "release: \(released) \(message)") }
    }
  }

  /// Until there is an answer.
  private func insist(_ call: String) async throws -> (Int, String) {
    var isFirst = true
    while true {
      do {
        let answer = try await client.text("POST", url + call)
        if isFirst, answer.0 == 401 { throw Refused(text: answer.1) }
        return answer
      } catch let refused as Refused {
        throw refused
      } catch {
        isFirst = false
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  struct Refused: Error { let text: String }
}
