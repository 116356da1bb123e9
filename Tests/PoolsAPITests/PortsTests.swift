import PoolsProtocol
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI

/// What is on a server's ports, over real connections (reference/boskos.md 2).
@Suite(.timeLimit(.minutes(5))) struct PortsTests {
  private func withServer(_ test: (RunningPools) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/config.yaml", "resources: [{type: t, names: [a, b]}]\n")
      try await RunningPools.with(file: "\(folder)/config.yaml", database: nil, test)
    }
  }

  private static let plain = "text/plain; charset=utf-8"

  /// What every answer to a question without a body has: its length, and nothing that says what it is when it is empty.
  private func check(
    _ answer: TestHTTP.Answer, _ status: Int, _ text: String, type: String?, isHead: Bool = false,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(answer.status == status, sourceLocation: location)
    #expect(answer.text == (isHead ? "" : text), sourceLocation: location)
    #expect(answer.header("Content-Length") == "\(text.utf8.count)", sourceLocation: location)
    #expect(answer.header("Content-Type") == type, sourceLocation: location)
    #expect(
      answer.header("X-Content-Type-Options") == (status >= 400 ? "nosniff" : nil), sourceLocation: location)
  }

  @Test("answers have their type and length, also those without a body and those to HEAD and OPTIONS")
  func headers() async throws {
    try await withServer { pools in
      for (path, text) in [
        ("/acquire", "only accepts POST."), ("/release", "only accepts POST."), ("/update", "only accepts POST."),
        ("/reset", "only accepts POST."), ("/resources", "only accepts GET."), ("/events", "only accepts GET."),
      ] {
        for method in ["HEAD", "OPTIONS", "DELETE", text.contains("POST") ? "GET" : "POST"] {
          check(
            try await TestHTTP.send(method, pools.api + path), 405, "Method \(method), \(path) \(text)\n",
            type: Self.plain, isHead: method == "HEAD")
        }
      }
      for method in ["HEAD", "OPTIONS", "POST"] {
        check(
          try await TestHTTP.send(method, pools.api + "/metric?type=t"), 405, "/metric only accepts GET\n",
          type: Self.plain, isHead: method == "HEAD")
      }
      for method in ["GET", "HEAD", "OPTIONS", "POST", "DELETE"] {
        check(try await TestHTTP.send(method, pools.api + "/"), 200, "", type: nil)
      }
      let lease = try await pools.post("/acquire?type=t&state=free&dest=busy&owner=o")
      check(lease, 200, lease.text, type: Self.plain)
      #expect(lease.text.hasPrefix(#"{"type":"t","name":"a","state":"busy","owner":"o","lastupdate":""#))
      #expect(lease.header("Retry-After") == nil)
      check(try await pools.post("/update?name=a&owner=o&state=busy", body: #"{"k":"v"}"#), 200, "", type: nil)
      check(try await pools.post("/release?name=a&dest=free&owner=o"), 200, "", type: nil)
      check(try await pools.post("/reset?type=t&state=busy&expire=0&dest=dirty"), 200, "{}", type: Self.plain)
      check(
        try await TestHTTP.send("GET", pools.api + "/metric?type=t"), 200,
        #"{"type":"t","current":{"free":2},"owner":{"":2}}"#, type: "application/json")
      // For who knows the server with a slash at the end; the original sends him to the path without it.
      check(
        try await TestHTTP.send("GET", pools.api + "//metric?type=t"), 200,
        #"{"type":"t","current":{"free":2},"owner":{"":2}}"#, type: "application/json")
      let both = try await pools.post("/acquirebystate?state=free&dest=busy&owner=o&names=a,b")
      check(both, 200, both.text, type: Self.plain)
    }
  }

  @Test("404 says when to ask again to those who wait, and to nobody else")
  func retryAfter() async throws {
    try await withServer { pools in
      for (call, seconds) in [
        ("/acquire?type=t&state=gone&dest=d&owner=o", "3"), ("/acquire?type=zz&state=free&dest=d&owner=o", "3"),
        ("/acquirebystate?state=gone&dest=d&owner=o&names=a", "3"), ("/release?name=zz&dest=d&owner=o", nil),
        ("/update?name=zz&owner=o&state=s", nil), ("/nowhere", nil),
      ] {
        let answer = try await pools.post(call)
        #expect(answer.status == 404 && answer.header("Retry-After") == seconds, "\(call)")
      }
    }
  }

  @Test("a form in the body is no query, and a body that nobody asked for harms nothing")
  func bodies() async throws {
    try await withServer { pools in
      let form = "type=t&state=free&dest=busy&owner=o"
      let answer = try await TestHTTP.send(
        "POST", pools.api + "/acquire", headers: ["Content-Type": "application/x-www-form-urlencoded"],
        body: Array(form.utf8))
      #expect(answer.status == 400)
      #expect(try await pools.post("/acquire?\(form)", body: String(repeating: "x", count: 100_000)).status == 200)
      let large = try await pools.post(
        "/update?name=a&owner=o&state=busy", body: #"{"k":""# + String(repeating: "x", count: 3 << 20) + "\"}")
      #expect(large.status == 413)
      #expect(await pools.keeper.resource("a")?.userData == [:])
    }
  }

  @Test("what is unknown is 404 on every port, whatever the method")
  func unknown() async throws {
    try await withServer { pools in
      for path in [
        "/acquire/", "/acquire/x", "/metrics", "/metric/", "/healthz", "/nowhere", "/release/", "/Acquire", "/events/",
        "/resources/a/work/x", "/./metric",
      ] {
        for method in ["GET", "POST"] {
          let answer = try await TestHTTP.send(method, pools.api + path)
          #expect(answer.status == 404, "\(method) \(path)")
        }
      }
      for path in ["/", "/healthz/", "/healthz/x", "/metrics", "/healthz/ready/"] {
        check(try await TestHTTP.send("GET", pools.health + path), 404, "404 page not found\n", type: Self.plain)
      }
      for path in ["/", "/metrics/", "/healthz"] {
        check(try await TestHTTP.send("GET", pools.metrics + path), 404, "404 page not found\n", type: Self.plain)
      }
      #expect(await pools.keeper.metrics().map(\.current) == [["free": 2]])
    }
  }

  @Test("health and metrics are on ports of their own")
  func otherPorts() async throws {
    try await withServer { pools in
      for path in ["/healthz", "/healthz/ready", "/healthz?verbose"] {
        check(try await TestHTTP.send("GET", pools.health + path), 200, "OK", type: Self.plain)
        check(try await TestHTTP.send("HEAD", pools.health + path), 200, "OK", type: Self.plain, isHead: true)
      }
      #expect(try await pools.post("/acquire?type=t&state=free&dest=busy&owner=o&request_id=r").status == 200)
      _ = try await pools.post("/nowhere")
      let page = try await TestHTTP.send("GET", pools.metrics + "/metrics", headers: ["User-Agent": "prometheus"])
      #expect(page.status == 200 && page.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
      for line in [
        #"boskos_resources{state="busy",type="t"} 1"#, #"boskos_resources{state="free",type="t"} 1"#,
        #"boskos_resources{state="tombstone",type="t"} 0"#,
        #"boskos_acquire_duration_seconds_count{dest="busy",has_request_id="true",state="free",type="t"} 1"#,
        #"boskos_http_request_duration_seconds_count{method="post",path="/acquire",status="200",user_agent=""} 1"#,
        #"boskos_http_request_duration_seconds_count{method="post",path="unmatched",status="404",user_agent=""} 1"#,
      ] { #expect(page.text.contains(line + "\n"), "\(line)") }
      // Every line is one that Prometheus reads: a comment, or a name, labels and a number.
      for line in page.text.split(separator: "\n") where !line.hasPrefix("#") {
        let number = line.split(separator: " ").last.map(String.init) ?? ""
        #expect(Double(number) != nil && line.hasPrefix("boskos_"), "\(line)")
      }
    }
  }
}
