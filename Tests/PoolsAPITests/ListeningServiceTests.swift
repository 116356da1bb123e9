import Formats
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@testable import PoolsAPI

@Suite("ListeningService", .timeLimit(.minutes(5))) struct ListeningServiceTests {
  private struct Failing: Service {
    let error: any Error
    func run() async throws { throw error }
  }

  @Test("where it cannot listen, and for what, is said")
  func place() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/config.yaml", "resources: [{type: t, names: [a]}]\n")
      try await RunningPools.with(file: "\(folder)/config.yaml", database: nil) { first in
        let port = try #require(Int(first.api.split(separator: ":").last ?? ""))
        let second = try await PoolsServer.prepare(
          .init(
            resources: "\(folder)/config.yaml", port: port, healthPort: freePort(), metricsPort: freePort(),
            database: nil),
          surroundings: .impatient, logger: KeptLog().logger)
        let api = try #require(second.services.last)
        let error = await #expect(throws: DroverError.self) { try await api.run() }
        #expect(
          error?.message.hasPrefix("listening on 127.0.0.1:\(port) for the pools' API: Address already in use") == true)
      }
    }
  }

  @Test("any other error stays what it is")
  func others() async {
    let service = ListeningService(
      Failing(error: DroverError(.failed, "something else")), "nothing", address: "h", port: 1)
    let error = await #expect(throws: DroverError.self) { try await service.run() }
    #expect(error?.message == "something else")
  }

  @Test("faults in a file of resources are told with the file")
  func faults() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/config.yaml"
      try writeTestFile(path, "resources: [{type: t, names: [a, a]}]\n")
      let error = await #expect(throws: DroverError.self) {
        try await PoolsServer.prepare(
          .init(resources: path, database: nil), surroundings: .impatient, logger: KeptLog().logger)
      }
      #expect(error?.description == "\(path): .0.names.1(a) is a duplicate")
    }
  }
}
