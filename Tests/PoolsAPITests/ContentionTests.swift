import AsyncHTTPClient
import Formats
import NIOCore
import NIOHTTP1
import PoolsProtocol
import Synchronization
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI

/// Many clients that want the same few resources (reference/boskos.md 17, where the original answers 500).
@Suite(.timeLimit(.minutes(5))) struct ContentionTests {
  /// The statuses that a call may have where everybody knows the names, and nobody knows who holds what.
  private static let documented: [String: Set<Int>] = [
    "/acquire": [200, 404], "/acquirebystate": [200, 404], "/release": [200, 401], "/update": [200, 401, 409],
    "/reset": [200], "/metric": [200],
  ]

  private final class Seen: Sendable {
    private let statuses = Mutex<[String: Set<Int>]>([:])
    private let unexpected = Mutex<[String]>([])
    var all: [String: Set<Int>] { statuses.withLock { $0 } }
    var wrong: [String] { unexpected.withLock { $0 } }

    /// Whether all of it has happened.
    var isComplete: Bool {
      let all = all
      return all["/acquire"] == [200, 404] && all["/release"] == [200, 401] && all["/acquirebystate"] == [200, 404]
        && all["/update"]?.contains(200) == true
    }

    func add(_ call: String, _ status: Int, _ text: String) {
      let path = String(call.prefix { $0 != "?" })
      statuses.withLock { _ = $0[path, default: []].insert(status) }
      guard documented[path]?.contains(status) != true else { return }
      unexpected.withLock { $0.append("\(call): \(status) \(text)") }
    }
  }

  /// - Parameter last: what the caller has leased last, and perhaps still holds.
  private static func call(_ random: inout SeededRandom, _ owner: String, _ last: String?) -> (String, String) {
    var name = ["a", "b", "c"].randomElement(using: &random) ?? "a"
    if let last, Int.random(in: 0..<4, using: &random) > 0 { name = last }
    let state = ["free", "busy", "busy", "busy"].randomElement(using: &random) ?? "busy"
    return switch Int.random(in: 0..<20, using: &random) {
    case 0..<5: ("POST", "/acquire?type=t&state=free&dest=busy&owner=\(owner)")
    case 5..<7: ("POST", "/acquire?type=t&state=free&dest=busy&owner=\(owner)&request_id=\(owner)&idempotent=true")
    case 7..<10: ("POST", "/acquirebystate?state=free&dest=busy&owner=\(owner)&names=\(name),c")
    case 10..<15: ("POST", "/release?name=\(name)&dest=free&owner=\(owner)")
    case 15..<18: ("POST", "/update?name=\(name)&owner=\(owner)&state=\(state)")
    case 18: ("POST", "/reset?type=t&state=busy&expire=100ms&dest=free")
    default: ("GET", "/metric?type=t")
    }
  }

  @Test("clients that fight for few resources get documented answers only", arguments: [true, false])
  func documentedOnly(isDurable: Bool) async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/config.yaml", "resources: [{type: t, names: [a, b, c]}]\n")
      let database = isDurable ? "\(folder)/pools.sqlite" : nil
      try await RunningPools.with(file: "\(folder)/config.yaml", database: database) { pools in
        let (seen, api) = (Seen(), pools.api)
        try await withThrowingTaskGroup(of: Void.self) { group in
          for client in 0..<32 {
            group.addTask {
              var random = SeededRandom(seed: UInt64(client))
              var last: String?
              // On a busy machine a lease may be taken back each time before its holder does anything with it.
              for round in 0..<4000 where round < 40 || !seen.isComplete {
                // Owners are shared by two, as jobs' are.
                let (method, call) = Self.call(&random, "o\(client / 2)", last)
                var request = HTTPClientRequest(url: api + call)
                request.method = HTTPMethod(rawValue: method)
                let response = try await HTTPClient.shared.execute(request, timeout: .minutes(2))
                let text = String(buffer: try await response.body.collect(upTo: 1 << 16))
                seen.add(call, Int(response.status.code), text)
                if call.hasPrefix("/acquire?"), response.status == .ok {
                  last = try PooledResource(json: JSON.parse(text)).name
                }
              }
            }
          }
          try await group.waitForAll()
        }
        #expect(seen.wrong == [])
        #expect(seen.isComplete, "\(seen.all)")
        let metric = try await pools.keeper.metric("t")
        #expect(metric.current.values.reduce(0, +) == 3 && Set(metric.current.keys).isSubset(of: ["free", "busy"]))
        let owned = metric.owners.filter { $0.key != "" }.values.reduce(0, +)
        #expect(owned == metric.current["busy"] ?? 0)
      }
    }
  }
}
