import Files
import Formats
import Processes
import Testing

/// Debian's HAProxy before some instances, asking each for its health five times a second. It tries nothing twice, so a
/// request that an instance loses is lost.
struct LoadBalancer: Sendable {
  let folder: String
  let port: Int
  let backends: Int

  static func with(
    _ server: ServerUnderTest, backends: [String], _ body: (LoadBalancer) async throws -> Void
  ) async throws {
    let balancer = LoadBalancer(folder: server.folder, port: 28000 + server.subnet, backends: backends.count)
    let servers = backends.enumerated().map { "  server web\($0) \($1) check inter 200ms fall 1 rise 2" }
    let configuration = """
      global
        stats socket \(balancer.folder)/haproxy.sock
      defaults
        mode http
        retries 0
        timeout connect 1s
        timeout client 5s
        timeout server 5s
      frontend public
        bind 127.0.0.1:\(balancer.port)
        default_backend web
      backend web
        balance roundrobin
        option httpchk GET /health
      \(servers.joined(separator: "\n"))

      """
    try Files.replace("\(balancer.folder)/haproxy.cfg", with: Array(configuration.utf8))
    var command = Command("haproxy", "-db", "-f", "\(balancer.folder)/haproxy.cfg")
    command.timeout = .seconds(600)
    let running = Task { [command] in try await command.result() }
    do {
      try await body(balancer)
    } catch {
      running.cancel()
      _ = try? await running.value
      throw error
    }
    running.cancel()
    _ = try? await running.value
  }

  /// By HAProxy's own view.
  func waitUntilAllAreUp() async throws {
    var last = ""
    for _ in 0..<150 {
      let command = Command("bash", "-c", "echo 'show servers state web' | socat - UNIX-CONNECT:\(folder)/haproxy.sock")
      last = try await command.result().text
      // Column 6 of a server's line is its operational state; 2 is running (haproxy's management guide, 9.3).
      let states = last.split(separator: "\n").map { $0.split(separator: " ") }.filter {
        $0.count > 6 && $0[1] == "web"
      }
      if states.count == backends, states.allSatisfy({ $0[5] == "2" }) { return }
      try await Task.sleep(for: .milliseconds(200))
    }
    throw DroverError(.timeout, "waiting until HAProxy sees \(backends) servers up; it says: \(last)")
  }
}
