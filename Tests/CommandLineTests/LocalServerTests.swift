import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import CommandLine

@Suite("LocalServer") struct LocalServerTests {
  /// What is read of a state directory, and how.
  enum Reading: String, CaseIterable {
    case process = "droverd.pid"
    case flags = "flags"
    case address = "address"
    case poolsAddress = "pools-address"

    func perform(_ server: LocalServer) throws -> String? {
      switch self {
      case .process: return try LocalServerProcess(server).process().map { "\($0.pid)" }
      case .flags: return try LocalServerProcess(server).remembered().map { "\($0)=\($1)" }.first
      case .address:
        do {
          return try server.target().url
        } catch let error as DroverError where error.code == .notFound {
          return nil
        }
      case .poolsAddress: return try server.poolsAddress()
      }
    }

    var expected: String {
      switch self {
      case .process: "\(getpid())"
      case .flags: "--name=a"
      case .address: "https://h:1"
      case .poolsAddress: "h:2"
      }
    }
  }

  private static let files = [
    "droverd.pid": "\(getpid())\n", "flags": "--name\na\n", "address": "h:1\n", "pools-address": "h:2\n",
    "users": "admin:secret\n", "certificates/ca.crt": "",
  ]

  @Test(
    "a folder is a server's when it has what every server makes, or nothing else than parts of one",
    arguments: [
      ([], .nothing), (["thesis.txt"], .others), (["name", "blobs", "thesis.txt"], .others),
      (["flags", "droverd.log"], .server), (["documents.sqlite", "droverd.yml"], .server), (["pools.sqlite"], .server),
      (["cloud", "nats", "seal.key"], .server), (["documents.sqlite-wal", "droverd.log.1"], .server),
    ] as [([String], LocalServer.Contents)])
  func contents(_ names: [String], _ expected: LocalServer.Contents) async throws {
    try await withTemporaryFolder { folder in
      for name in names { try writeTestFile("\(folder)/\(name)", "") }
      #expect(try LocalServer(state: folder).contents() == expected)
    }
    #expect(try LocalServer(state: "/nowhere/at/all").contents() == .nothing)
  }

  @Test("destroying a server leaves a folder of others alone, and says that there is none where there is none")
  func destroyingOthers() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/thesis.txt", "precious")
      let server = LocalServerProcess(LocalServer(state: folder))
      let error = await #expect(throws: DroverError.self) { try await server.stop(destroy: true, keepVMs: false) }
      #expect(error?.message.hasPrefix("\(folder) has files of others and nothing of a server") == true)
      #expect(try await !server.stop(destroy: false, keepVMs: false))
      #expect(Files.textIfPresent("\(folder)/thesis.txt") == "precious")
      let nowhere = LocalServerProcess(LocalServer(state: "\(folder)/nowhere"))
      #expect(try await !nowhere.stop(destroy: true, keepVMs: false))
    }
  }

  @Test("a server that never made anything on the machine is removed without looking for it there")
  func destroyingRemains() async throws {
    try await withTemporaryFolder { folder in
      let state = "\(folder)/state"
      try Files.makeFolder(state)
      try writeTestFile("\(state)/droverd.log", "Error: configuration name")
      #expect(try await LocalServerProcess(LocalServer(state: state)).stop(destroy: true, keepVMs: false))
      #expect(try !Files.isThere(state))
    }
  }

  @Test("a server that runs is told apart from what it was asked to be now")
  func changedFlags() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/flags", "--api-port\n1\n--name\na\n")
      let server = LocalServerProcess(LocalServer(state: folder))
      #expect(try server.changed(["--name": "a", "--api-port": "1"]) == [])
      #expect(try server.changed(["--name": "b", "--nats-port": "2"]) == ["--name", "--nats-port"])
    }
  }

  @Test(
    "--listen is a host and a port",
    arguments: [
      ("h:1", ["--api-address": "h", "--api-port": "1"]), ("h", nil), (":1", nil), ("h:0", nil), ("h:65536", nil),
      ("h:x", nil), ("h:1:2", nil), ("", nil),
    ] as [(String, [String: String]?)])
  func listen(_ text: String, _ expected: [String: String]?) {
    #expect((try? LocalServerProcess.flags(listen: text)) == expected)
  }

  @Test("a server that is being started again is still found, and keeps the flags of last time")
  func startedAgain() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/certificates")
      for (name, text) in Self.files { try writeTestFile("\(folder)/\(name)", text) }
      let server = LocalServer(state: folder)
      let before = try FileFacts("\(folder)/flags")
      #expect(try LocalServerProcess(server).remember([:]) == ["--name", "a"])
      #expect(try FileFacts("\(folder)/flags") == before)
      #expect(
        try LocalServerProcess(server).remember(["--nats-port": "5"]) == ["--name", "a", "--nats-port", "5"])
      #expect(try LocalServerProcess(server).remembered()["--nats-port"] == "5")
      #expect(try server.target().url == "https://h:1")
    }
  }

  @Test("a file that is not there means none, one that cannot be read does not", arguments: Reading.allCases)
  func readings(_ reading: Reading) async throws {
    try await withTemporaryFolder { folder in
      let server = LocalServer(state: folder)
      for (name, text) in Self.files {
        if let above = Files.folder(of: "\(folder)/\(name)") { try Files.makeFolder(above) }
        try writeTestFile("\(folder)/\(name)", text)
      }
      #expect(try reading.perform(server) == reading.expected)
      let path = "\(folder)/\(reading.rawValue)"
      try Files.remove(path)
      #expect(try reading.perform(server) == nil)
      for kind in Unreadable.allCases {
        try kind.put(path)
        let error = #expect(throws: DroverError.self) { try reading.perform(server) }
        #expect(error?.description.hasSuffix("'\(path)': \(kind.reason)") == true)
        try Files.remove(path)
      }
    }
  }
}
