import Formats
import Glibc
import PoolsProtocol
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI

/// The file of resources is followed while the server runs, for every storage (reference/boskos.md 5).
@Suite(.timeLimit(.minutes(5))) struct ResourceFileWatchTests {
  /// How files are changed.
  enum Way: CaseIterable {
    case inPlace, byRename, asConfigMap

    func begin(_ folder: String, _ text: String) throws {
      guard self == .asConfigMap else { return try writeTestFile("\(folder)/config.yaml", text) }
      try makeData(folder, text)
      #expect(symlink("..data/config.yaml", "\(folder)/config.yaml") == 0)
    }

    func change(_ folder: String, _ text: String) throws {
      switch self {
      case .inPlace: try writeTestFile("\(folder)/config.yaml", text)
      case .byRename:
        try writeTestFile("\(folder)/.config.yaml.new", text)
        #expect(rename("\(folder)/.config.yaml.new", "\(folder)/config.yaml") == 0)
      case .asConfigMap: try makeData(folder, text)
      }
    }

    /// As Kubernetes does it: the file's link leads through `..data`, which is a link to a folder of this version.
    private func makeData(_ folder: String, _ text: String) throws {
      var version = 1
      while access("\(folder)/..v\(version)", F_OK) == 0 { version += 1 }
      mkdir("\(folder)/..v\(version)", 0o755)
      try writeTestFile("\(folder)/..v\(version)/config.yaml", text)
      #expect(symlink("..v\(version)", "\(folder)/..data_tmp") == 0)
      #expect(rename("\(folder)/..data_tmp", "\(folder)/..data") == 0)
      unlink("\(folder)/..v\(version - 1)/config.yaml")
    }
  }

  private func names(_ pools: RunningPools) async -> [String] {
    await pools.keeper.resources(type: nil, state: nil, owner: nil, limit: 100).map(\.name)
  }

  @Test(
    "a change is in use soon, however the file was changed, and leases stay what they are", arguments: Way.allCases,
    [true, false])
  func follows(way: Way, isDurable: Bool) async throws {
    try await withTemporaryFolder { folder in
      mkdir("\(folder)/etc", 0o755)
      try way.begin("\(folder)/etc", "resources: [{type: t, names: [a, b]}]\n")
      let database = isDurable ? "\(folder)/pools.sqlite" : nil
      try await RunningPools.with(file: "\(folder)/etc/config.yaml", database: database) { pools in
        #expect(try await pools.post("/acquire?type=t&state=free&dest=busy&owner=ann").status == 200)
        try way.change("\(folder)/etc", "resources: [{type: t, names: [b, c]}, {type: u, names: [d]}]\n")
        try await until { await names(pools) == ["a", "b", "c", "d"] }
        #expect(await pools.keeper.resource("a")?.owner == "ann")
        // What is no longer named goes when its holder hands it back.
        #expect(try await pools.post("/release?name=a&dest=dirty&owner=ann").status == 200)
        #expect(await names(pools) == ["b", "c", "d"])
        try way.change("\(folder)/etc", "resources: [{type: t, names: [b]}]\n")
        try await until { await names(pools) == ["b"] }
      }
      guard isDurable else { return }
      // And the change outlives the server.
      try await RunningPools.with(file: "\(folder)/etc/config.yaml", database: database) { pools in
        #expect(await names(pools) == ["b"])
      }
    }
  }

  @Test("a faulty file changes nothing, and is told of until it is mended", arguments: [true, false])
  func faulty(isDurable: Bool) async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/config.yaml"
      let good = "resources: [{type: t, names: [a, b]}]\n"
      try writeTestFile(file, good)
      let database = isDurable ? "\(folder)/pools.sqlite" : nil
      try await RunningPools.with(file: file, database: database) { pools in
        func told(_ fault: String?) async throws {
          let line = "boskos_configuration_faulty \(fault == nil ? 0 : 1)\n"
          try await until { try await TestHTTP.send("GET", pools.metrics + "/metrics").text.contains(line) }
          let text = fault.map { "OK\nthe latest configuration is not in use: \($0)\n" } ?? "OK"
          try await until {
            let detail = try await TestHTTP.send("GET", pools.health + "/healthz?verbose")
            return detail.status == 200 && detail.text == text
          }
          // Its traffic does not end for a fault in a file.
          #expect(try await TestHTTP.send("GET", pools.health + "/healthz/ready").status == 200)
        }
        try await told(nil)
        #expect(try await pools.post("/acquire?type=t&state=free&dest=busy&owner=ann").status == 200)
        let before = await pools.keeper.resources(type: nil, state: nil, owner: nil, limit: 100)
        try Way.byRename.change(folder, "resources: [{type: t, names: [a, a]}, {type: v, names: [z]}]\n")
        let duplicate = ".0.names.1(a) is a duplicate"
        try await told(duplicate)
        #expect(pools.log.all.contains { $0.hasPrefix("error") && $0.contains(file) && $0.contains(duplicate) })
        #expect(await pools.keeper.resources(type: nil, state: nil, owner: nil, limit: 100) == before)
        #expect(try await pools.post("/acquire?type=t&state=free&dest=busy&owner=bob").status == 200)
        // Another fault.
        try Way.byRename.change(folder, "resources: []\n")
        try await told("empty config")
        // Not there at all, and there again as it was.
        #expect(unlink(file) == 0)
        try await told("reading the resources: open \(file): No such file or directory")
        #expect(await names(pools) == ["a", "b"])
        try Way.byRename.change(folder, good)
        try await told(nil)
        #expect(await names(pools) == ["a", "b"])
        let events = try JSON.parse(
          try await TestHTTP.send(
            "GET", pools.api + "/events?event=configuration-refused,configuration-loaded"
          ).bytes)["events"]?.array
        #expect(
          events?.compactMap { $0["event"]?.string }
            == Array(repeating: "configuration-refused", count: 3) + ["configuration-loaded"])
      }
    }
  }
}
