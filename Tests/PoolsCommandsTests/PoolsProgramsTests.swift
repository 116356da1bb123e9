import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

/// The servers of pools as people start them: real processes.
@Suite(.timeLimit(.minutes(10))) struct PoolsProgramsTests {
  private static let acquire = "/acquire?type=t&state=free&dest=busy&owner=ann"

  private func post(_ url: String) async throws -> TestHTTP.Answer { try await TestHTTP.send("POST", url) }

  @Test("droverd --only pools serves, ends at SIGTERM with 0, and knows its leases when it is started again")
  func onlyPools() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/resources.yaml", "resources: [{type: t, names: [a, b]}]\n")
      let (port, health, metrics) = (try freePort(), try freePort(), try freePort())
      let environment = ["DROVER_POOLS_HEALTH_PORT": "\(health)", "DROVER_POOLS_METRICS_PORT": "\(metrics)"]
      let arguments = [
        "--only", "pools", "--pools-resources", "\(folder)/resources.yaml", "--state", "\(folder)/state",
        "--pools-port", "\(port)",
      ]
      let url = "http://127.0.0.1:\(port)"
      for number in 0..<2 {
        try await TestProgram.with("droverd", arguments, environment: environment) { droverd in
          try await droverd.isReady("http://127.0.0.1:\(health)/healthz/ready")
          let answer = try await post(url + Self.acquire)
          #expect(answer.text.hasPrefix(#"{"type":"t","name":"\#(["a", "b"][number])","state":"busy","owner":"ann","#))
          #expect(try await TestHTTP.send("GET", "http://127.0.0.1:\(metrics)/metrics").status == 200)
          #expect(try await droverd.end() == .exited(0))
        }
      }
      #expect(access("\(folder)/state/pools.sqlite", F_OK) == 0 && access("\(folder)/state/droverd.pid", F_OK) != 0)
    }
  }

  @Test("droverd's log is renamed when it is large; one that somebody renamed is opened anew, and SIGHUP ends nothing")
  func log() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/resources.yaml", "resources: [{type: t, names: [a, b]}]\n")
      let log = "\(folder)/droverd.log"
      let health = try freePort()
      let environment = [
        "DROVER_POOLS_HEALTH_PORT": "\(health)", "DROVER_POOLS_METRICS_PORT": "\(try freePort())",
        "DROVER_LOG_SIZE": "500", "DROVER_LOG_KEEP": "2",
      ]
      let arguments = [
        "--only", "pools", "--pools-resources", "\(folder)/resources.yaml", "--state", "\(folder)/state",
        "--pools-port", "\(try freePort())", "--log-file", log,
      ]
      try await TestProgram.with("droverd", arguments, environment: environment) { droverd in
        try await droverd.isReady("http://127.0.0.1:\(health)/healthz/ready")
        #expect(rename(log, "\(folder)/moved") == 0)
        droverd.signal(SIGHUP)
        try await until { try Files.exists(log) }
        // Each change of the file is a line of the log.
        var number = 0
        for name in ["1", "2"] {
          try await until {
            number += 1
            try writeTestFile("\(folder)/resources.yaml", "resources: [{type: t, names: [r\(number)]}]\n")
            // It is looked at each second.
            try await Task.sleep(for: .milliseconds(300))
            return try Files.exists("\(log).\(name)")
          }
        }
        #expect(try Files.text("\(folder)/moved")?.contains("listening on") == true)
        #expect(droverd.errors.isEmpty && droverd.output.isEmpty)
        #expect(try await droverd.end() == .exited(0))
      }
      let names = try Files.names(in: folder).filter { $0.hasPrefix("droverd.log") }
      #expect(Set(names).isSubset(of: ["droverd.log", "droverd.log.1", "droverd.log.2"]))
      // Whole lines, or none: one that was just begun may be empty.
      for name in names {
        let text = try Files.text("\(folder)/\(name)") ?? ""
        #expect(text.isEmpty || text.hasSuffix("\n"), "\(name): \(text)")
      }
    }
  }

  @Test("what droverd's configuration lists runs: a janitor cleans what is dirty from the start on")
  func services() async throws {
    try await withTemporaryFolder { folder in
      let (port, health, metrics) = (try freePort(), try freePort(), try freePort())
      try writeTestFile("\(folder)/clean", "#!/bin/sh\necho \"$@\" >>\(folder)/calls\n", mode: 0o755)
      try writeTestFile(
        "\(folder)/resources.yaml",
        """
        resources:
        - {type: gce-project, state: dirty, names: [a, b], janitor: {command: \(folder)/clean, arguments: [--all]}}
        - {type: other, state: dirty, names: [c]}

        """)
      try writeTestFile(
        "\(folder)/droverd.yaml",
        """
        state: \(folder)/state
        pools:
          resources: \(folder)/resources.yaml
          port: \(port)
          health_port: \(health)
          metrics_port: \(metrics)
          services: [reaper, janitor, cleaner, mason]

        """)
      try await TestProgram.with("droverd", ["--only", "pools", "--config", "\(folder)/droverd.yaml"]) { droverd in
        try await droverd.isReady("http://127.0.0.1:\(health)/healthz/ready")
        let url = "http://127.0.0.1:\(port)/metric?type="
        try await until { try await TestHTTP.send("GET", url + "gce-project").text.contains(#""free":2"#) }
        #expect(try await TestHTTP.send("GET", url + "other").text.contains(#""dirty":1"#))
        #expect(try await droverd.end() == .exited(0))
      }
      let calls = Files.textIfPresent("\(folder)/calls") ?? ""
      #expect(calls.split(separator: "\n").sorted() == ["--project=a --all", "--project=b --all"])
    }
  }

  @Test("boskos -in_memory -config=… serves, and ends with 0 when it is told to", arguments: [SIGTERM, SIGINT])
  func inMemory(signal: Int32) async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/config.yaml", "resources: [{type: t, names: [a]}]\n")
      let (port, health, metrics) = (try freePort(), try freePort(), try freePort())
      let arguments = [
        "-in_memory", "-config=\(folder)/config.yaml", "-namespace=default", "-port=\(port)", "-health-port",
        "\(health)",
        "--metrics-port=\(metrics)",
      ]
      for _ in 0..<2 {
        try await TestProgram.with("boskos", arguments) { boskos in
          try await boskos.isReady("http://127.0.0.1:\(health)/healthz/ready")
          #expect(try await post("http://127.0.0.1:\(port)" + Self.acquire).status == 200)
          #expect(try await boskos.end(by: signal) == .exited(0))
        }
      }
      #expect(access("\(folder)/boskos.db", F_OK) != 0)
    }
  }

  @Test(
    "boskos does not start with a configuration that is not there or has faults, or with flags that it does not know")
  func refuses() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/bad.yaml", "resources: [{type: t}]\n")
      for (arguments, code, text) in [
        (["-in_memory", "-config=\(folder)/none.yaml"], 1, "open \(folder)/none.yaml: No such file or directory"),
        (["-in_memory", "-config=\(folder)/bad.yaml"], 1, ".0.max-count: must be >0"),
        (["-bogus"], 2, "flag provided but not defined: -bogus"),
        (["-namespace=test-pods", "-config=\(folder)/bad.yaml"], 1, "Kubernetes"),
      ] {
        let result = try await Command([TestProcess.path(of: "boskos")] + arguments).result()
        #expect(result.ending == .exited(code) && result.text == "")
        #expect(String(decoding: result.errors, as: UTF8.self).contains(text))
      }
    }
  }
}
