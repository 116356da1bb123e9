import AsyncHTTPClient
import Formats
import Glibc
import PoolsProtocol
import TestSupport
import Testing

/// A server whose disk is full for a while.
@Suite(
  "pools and a full disk", .enabled(if: getuid() == 0, "needs root: it mounts a small disk"), .timeLimit(.minutes(5)))
struct PoolsFullDiskTests {
  /// What was acknowledged.
  private struct Ledger {
    var owners: [String: String] = [:]
    var data: [String: String] = [:]
  }

  @Test(
    "what has no room is refused and changes nothing, what was acknowledged is kept, and it goes on when there is room")
  func fullDisk() async throws {
    let client = HTTPClient.shared
    do {
      try await withSmallDisk(kilobytes: 2048) { disk in
        try writeTestFile("\(disk)/config.yaml", "resources: [{type: t, names: {prefix: r, count: 20}}]\n")
        let server = try BoskosProcess(folder: disk)
        defer { server.kill() }
        try await server.startAndWait(client)
        var ledger = Ledger()
        for round in 0..<3 {
          for number in 0..<2 { try await lease(server, client, "o\(round)-\(number)", &ledger) }
          try fill("\(disk)/filler")
          try await useUp(server, client, &ledger)
          try await check(server, client, ledger)
          // The last time it is killed while the disk is full.
          if round == 2 { server.kill() }
          #expect(unlink("\(disk)/filler") == 0)
          if round == 2 { try await server.startAndWait(client) }
          try await check(server, client, ledger)
        }
        try await lease(server, client, "last", &ledger)
        try await check(server, client, ledger)
        try await checkData(server, client, ledger)
      }
    } catch let error where "\(error)".contains("NoSmallDisk") {
      print("a full disk is not tested: a small one cannot be mounted: \(error)")
    }
  }

  private func lease(_ server: BoskosProcess, _ client: HTTPClient, _ owner: String, _ ledger: inout Ledger)
    async throws
  {
    let (status, text) = try await client.text(
      "POST", "\(server.url)/acquire?type=t&state=free&dest=busy&owner=\(owner)")
    try #require(status == 200, "\(text)")
    let name = try PooledResource(json: JSON.parse(text)).name
    ledger.owners[name] = owner
    let data = "of \(owner)"
    let update = try await TestHTTP.send(
      "POST", "\(server.url)/update?name=\(name)&owner=\(owner)&state=busy", body: Array(#"{"k":"\#(data)"}"#.utf8))
    #expect(update.status == 200)
    ledger.data[name] = data
  }

  private func fill(_ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    let bytes = [UInt8](repeating: 1, count: 4096)
    while write(descriptor, bytes, bytes.count) > 0 {}
    #expect(errno == ENOSPC)
  }

  /// Writes until there is no room, and then tries everything.
  private func useUp(_ server: BoskosProcess, _ client: HTTPClient, _ ledger: inout Ledger) async throws {
    let names = ledger.owners.keys.sorted()
    var refusals = 0
    for number in 0..<2000 where refusals < 5 {
      let name = names[number % names.count]
      let text = "\(number)-" + String(repeating: "x", count: 8000)
      let answer = try await TestHTTP.send(
        "POST", "\(server.url)/update?name=\(name)&owner=\(ledger.owners[name] ?? "")&state=busy",
        body: Array(#"{"k":"\#(text)"}"#.utf8))
      if answer.status == 200 {
        ledger.data[name] = text
        continue
      }
      refusals += 1
      #expect(answer.status == 500)
      #expect(
        answer.text.hasPrefix("Update failed: \(name) - busy (\(ledger.owners[name] ?? "")): storing the change: "))
      #expect(answer.text.contains("full") && !answer.text.contains("xxx"), "\(answer.text)")
    }
    #expect(refusals == 5)
    // Smaller ones may still find room, but are never half done.
    for name in names {
      let owner = ledger.owners[name] ?? ""
      let (status, text) = try await client.text("POST", "\(server.url)/release?name=\(name)&dest=busy&owner=\(owner)")
      if status == 200 { ledger.owners[name] = nil } else { #expect(status == 500 && text.contains("full"), "\(text)") }
      if status == 200 { break }
    }
  }

  private func check(_ server: BoskosProcess, _ client: HTTPClient, _ ledger: Ledger) async throws {
    let (status, text) = try await client.text("GET", "\(server.url)/resources?limit=100")
    #expect(status == 200)
    var owners: [String: String] = [:]
    for value in try #require(JSON.parse(text).array) {
      let resource = try PooledResource(json: value)
      if resource.owner != "" { owners[resource.name] = resource.owner }
    }
    #expect(owners == ledger.owners)
  }

  /// User data are shown to who leases only.
  private func checkData(_ server: BoskosProcess, _ client: HTTPClient, _ ledger: Ledger) async throws {
    var checked = 0
    for (name, owner) in ledger.owners {
      guard let data = ledger.data[name] else { continue }
      let released = try await client.text("POST", "\(server.url)/release?name=\(name)&dest=seen&owner=\(owner)")
      #expect(released.0 == 200)
      let (_, text) = try await client.text(
        "POST", "\(server.url)/acquirebystate?state=seen&dest=busy&owner=me&names=\(name)")
      #expect(try JSON.parse(text)[0]?["userdata"]?["k"]?.string == data)
      checked += 1
    }
    #expect(checked > 1)
  }
}
