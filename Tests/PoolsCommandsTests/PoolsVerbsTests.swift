import Files
import Formats
import Glibc
import PoolsProtocol
import Processes
import TestSupport
import Testing

@testable import Pools

/// `drover pools` and its services, as people type them, against a server of pools in memory.
@Suite(.timeLimit(.minutes(10))) struct PoolsVerbsTests {
  private func drover(_ arguments: [String], url: String? = nil) async throws -> CommandResult {
    var command = Command([TestProcess.path(of: "drover")] + arguments)
    command.environment = ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"]
    if let url { command.environment?["DROVER_POOLS_URL"] = url }
    command.timeout = .seconds(300)
    return try await command.result()
  }

  private static let entries: [PoolsConfiguration.Entry] = [
    .init(type: "t", names: ["a", "b"]), .init(type: "u", state: "dirty", names: ["c"]),
  ]

  /// The table without its edges: cells by rows.
  private func cells(_ text: String) -> [[String]] {
    text.split(separator: "\n").map { line in
      line.split(whereSeparator: { $0.isWhitespace || "|│".contains($0) }).map(String.init)
    }.filter { $0.count > 1 }
  }

  @Test("drover pools shows type, name, state, owner and age, of all or of some, for people or as JSON")
  func table() async throws {
    try await withPools(Self.entries) { keeper, url in
      _ = try await keeper.acquire(names: ["b"], state: "free", destination: "busy", owner: "ann")
      let all = try await drover(["pools", "--boskos-url", url])
      #expect(all.succeeded, "\(all.lastErrorLines())")
      let rows = cells(all.text)
      #expect(rows.first == ["Type", "Name", "State", "Owner", "Age"])
      for row in [["t", "a", "free", "-"], ["t", "b", "busy", "ann"], ["u", "c", "dirty", "-"]] {
        #expect(rows.contains { $0.prefix(4) == row[...] && $0.count == 5 }, "\(all.text)")
      }
      let some = try await drover(["pools", "t", "--in-state", "busy"], url: url)
      #expect(cells(some.text).dropFirst().map { $0.prefix(2) }.first == ["t", "b"] && !some.text.contains("free"))
      let json = try await drover(["pools", "--json", "--boskos-url", String(url.dropFirst("http://".count))])
      let names = try JSON.parse(json.output).array?.compactMap { $0["name"]?.string }
      #expect(names == ["a", "b", "c"])
    }
  }

  @Test("who only looks is told soon when there is no server")
  func nobody() async throws {
    let none = try await drover(["pools", "--boskos-url", "http://127.0.0.1:\(try freePort())", "--json"])
    #expect(none.ending == .exited(1) && none.lastErrorLines().hasPrefix("drover: asking the pools: "))
  }

  @Test("drover pools watch shows what changes, until it is interrupted")
  func watch() async throws {
    try await withPools(Self.entries) { keeper, url in
      try await TestProgram.with("drover", ["pools", "watch", "t", "--boskos-url", url]) { watch in
        try await until { watch.output.contains("free") }
        #expect(!watch.output.contains("ann") && !watch.output.contains("dirty"))
        _ = try await keeper.acquire(names: ["b"], state: "free", destination: "busy", owner: "ann")
        try await until { watch.output.contains("ann") }
        _ = try await watch.end(by: SIGINT)
        #expect(watch.errors == "")
      }
    }
  }

  @Test(
    "the services say what they do and which flags they take",
    arguments: [
      (
        "reaper",
        [
          "--boskos-url", "--resource-type", "--resource-type-from-config", "--expire", "--target-state",
          "--extra-source-states", "--username", "--password-file",
        ]
      ),
      ("janitor", ["--boskos-url", "--pool-size", "--update-frequency", "--janitor-path", "--log-level"]),
      ("cleaner", ["--boskos-url", "--cleaner-count", "--log-level"]),
      ("mason", ["--boskos-url", "--config", "--cleaner-count"]),
      ("metrics", ["--boskos-url", "--resource-type", "--resource-state", "--port", "--metrics-port"]),
    ])
  func help(service: String, flags: [String]) async throws {
    let help = try await drover(["pools", service, "--help"])
    #expect(help.succeeded && help.text.contains("USAGE: drover pools \(service)"))
    for flag in flags { #expect(help.text.contains("\(flag) "), "\(flag)") }
    let bogus = try await drover(["pools", service, "--bogus"])
    #expect(bogus.ending == .exited(64) && bogus.text == "")
  }

  @Test(
    "the services run against a URL with the originals' flags, one dash or two, and end with 0 when they are told to")
  func services() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/build", "#!/bin/sh\ncat >/dev/null\necho '{\"id\":\"42\"}'\n", mode: 0o755)
      try writeTestFile(
        "\(folder)/resources.yaml",
        """
        resources:
        - {type: t, names: [a, b]}
        - {type: dyn, state: dirty, min-count: 1, max-count: 1, needs: {t: 1}, config: {type: Maker, content: x}}

        """)
      let file = "\(folder)/resources.yaml"
      let configuration = try PoolsConfiguration.load(try Files.read(file))
      let ports = (try freePort(), try freePort())
      try await withPools(configuration.entries + [.init(type: "u", state: "dirty", names: ["c", "d"])]) {
        keeper, url in
        let services: [(String, [String], () async throws -> Bool)] = [
          ("reaper", ["-boskos-url=\(url)", "-resource-type", "t,u", "-expire=30m", "-target-state=dirty"], { true }),
          (
            "janitor",
            ["--boskos-url", url, "--resource-type", "none", "--resource-type=u", "--janitor-path=/bin/true"],
            { await poolStates(keeper, "u") == ["free": 2] }
          ),
          (
            "cleaner",
            [
              "-boskos-url=\(url)", "-resource-type-from-config=\(file)", "-cleaner-count=3", "-namespace=test-pods",
              "-use-v2-implementation=true", "-kubeconfig", "/etc/kubeconfig", "-metrics-port=9090",
              "-health-port=8081", "-in_memory=false", "-projected-token-file=/none",
            ], { true }
          ),
          (
            "mason", ["-boskos-url=\(url)", "-config=\(file)", "-command=Maker=\(folder)/build"],
            { await poolStates(keeper, "dyn") == ["free": 1] }
          ),
          (
            "metrics",
            ["-boskos-url=\(url)", "-resource-type=t,u", "-port=\(ports.0)", "-metrics-port=\(ports.1)"],
            {
              let page = try? await TestHTTP.send("GET", "http://127.0.0.1:\(ports.1)/metrics")
              return page?.text.contains(#"boskos_resources{state="free",type="t"}"#) == true
            }
          ),
        ]
        for (name, flags, isDone) in services {
          try await TestProgram.with("drover", ["pools", name] + flags + ["-log-level=debug"]) { service in
            try await until(isDone)
            try await service.minds(SIGTERM)
            #expect(try await service.end() == .exited(0), "\(name): \(service.errors)")
          }
        }
      }
    }
  }
}
