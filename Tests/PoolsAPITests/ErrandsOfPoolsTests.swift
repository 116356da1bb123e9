import Formats
import Logging
import Surroundings
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI

/// Servers of pools alone have nobody who runs errands.
@Suite struct ErrandsOfPoolsTests {
  private static let withErrand = "resources: [{type: t, names: [a], janitor: {deployment: d, errand: e}}]"

  private func server(_ file: String, hasErrands: Bool) async throws -> PoolsServer {
    try await PoolsServer.prepare(
      .init(resources: file, database: nil, hasErrands: hasErrands), surroundings: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test("A file that names errands is refused at the start, with the type and the key, where nobody runs them")
  func start() async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/resources.yaml"
      try writeTestFile(file, Self.withErrand)
      let error = await #expect(throws: DroverError.self) { try await server(file, hasErrands: false) }
      #expect(
        error?.description.hasPrefix("\(file): .0.janitor: type t wants the errand 'e' of deployment 'd'") == true)
      let policies = await (try server(file, hasErrands: true)).keeper.configuration.policies
      #expect(policies["t"]?.janitor?.errand == ServiceErrand(deployment: "d", errand: "e"))
    }
  }

  @Test("A file that comes to name errands while such a server runs is not taken")
  func reload() async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/resources.yaml"
      try writeTestFile(file, "resources: [{type: t, names: [a]}]")
      let (alone, whole) = (
        try await ResourceFile.load(file, hasErrands: false), try await ResourceFile.load(file, hasErrands: true)
      )
      try writeTestFile(file, Self.withErrand)
      await #expect(throws: DroverError.self) { try await alone.changed() }
      #expect(try await whole.changed()?.configuration.policies["t"]?.janitor?.errand != nil)
    }
  }
}
