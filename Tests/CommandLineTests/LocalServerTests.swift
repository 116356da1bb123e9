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
