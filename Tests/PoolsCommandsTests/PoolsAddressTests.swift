import Files
import Formats
import Processes
import TestSupport
import Testing

@testable import Pools

/// Which of several running servers `drover pools` asks.
@Suite(.timeLimit(.minutes(10))) struct PoolsAddressTests {
  /// The types that the pools have, which tell which ones were asked.
  private func types(_ arguments: [String], _ environment: [String: String]) async throws -> [String] {
    var command = Command([TestProcess.path(of: "drover"), "pools", "--json"] + arguments)
    command.environment = ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"].merging(environment) { $1 }
    command.timeout = .seconds(300)
    let result = try await command.result()
    guard result.succeeded else { throw DroverError(.failed, result.lastErrorLines()) }
    return try JSON.parse(result.output).array?.compactMap { $0["type"]?.string } ?? []
  }

  @Test("the flag counts over DROVER_POOLS_URL, that over this machine's server, which writes down where its pools are")
  func order() async throws {
    try await withTemporaryFolder { folder in
      let (state, port, health) = ("\(folder)/state", try freePort(), try freePort())
      try writeTestFile("\(folder)/resources.yaml", "resources: [{type: own, names: [a]}]\n")
      try writeTestFile(
        "\(folder)/droverd.yaml",
        """
        state: \(state)
        pools: {resources: \(folder)/resources.yaml, port: \(port), health_port: \(health), metrics_port: \(try freePort())}

        """)
      try await withPools([.init(type: "flag", names: ["a"])]) { _, flag in
        try await withPools([.init(type: "variable", names: ["a"])]) { _, variable in
          try await TestProgram.with("droverd", ["--only", "pools", "--config", "\(folder)/droverd.yaml"]) { droverd in
            try await droverd.isReady("http://127.0.0.1:\(health)/healthz/ready")
            #expect(try Files.text("\(state)/pools-address") == "127.0.0.1:\(port)\n")
            for (arguments, environment, expected) in [
              (["--boskos-url", flag], ["DROVER_POOLS_URL": variable, "DROVER_STATE": state], "flag"),
              (["--boskos-url", flag], ["DROVER_STATE": state], "flag"),
              ([], ["DROVER_POOLS_URL": variable, "DROVER_STATE": state], "variable"),
              ([], ["DROVER_POOLS_URL": "", "DROVER_STATE": state], "own"),
              (["--boskos-url", ""], ["DROVER_STATE": state], "own"),
              ([], ["DROVER_STATE": state], "own"),
            ] {
              #expect(try await types(arguments, environment) == [expected], "\(arguments) \(environment)")
            }
            try await unreadable(state, flag: flag)
            #expect(try await droverd.end() == .exited(0))
          }
          // One that has ended has no pools, whatever it has written down.
          try await rests(state, port)
        }
      }
    }
  }

  /// What cannot be read is said, and does not send anybody to other pools; who names the pools is not troubled by it.
  private func unreadable(_ state: String, flag: String) async throws {
    let path = "\(state)/pools-address"
    try Files.remove(path)
    try Unreadable.folder.put(path)
    let error = await #expect(throws: DroverError.self) { try await types([], ["DROVER_STATE": state]) }
    #expect(error?.message.contains("reading '\(path)': Is a directory") == true)
    #expect(try await types(["--boskos-url", flag], ["DROVER_STATE": state]) == ["flag"])
  }

  private func rests(_ state: String, _ port: Int) async throws {
    try Files.remove("\(state)/pools-address")
    try writeTestFile("\(state)/pools-address", "127.0.0.1:\(port)\n")
    // Then it is those where Boskos usually is, if there are any.
    let found = (try? await types([], ["DROVER_STATE": state])) ?? []
    #expect(!found.contains("own"))
  }
}
