import Certificates
import Formats
import Glibc
import Logging
import Messaging
import Surroundings
import Synchronization
import TestSupport
import Testing

/// A directory that is gone afterwards.
func withDirectory(_ body: (String) async throws -> Void) async throws {
  var template = Array("/tmp/drover-messaging-XXXXXX".utf8CString)
  let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } }
  let directory = try String(cString: #require(made))
  defer { system("rm -rf \(directory)") }
  try await body(directory)
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A real nats-server of ours with an authority, gone afterwards.
struct Bench: Sendable {
  let directory: String
  let authority: CertificateAuthority
  let server: NATSServer

  static func run(
    maximumPayload: Int = 1_048_576, logSize: Int = 10 << 20, logKeep: Int = 5,
    names: CertificateSubject = .natsServer(addresses: ["127.0.0.1"]),
    _ body: @Sendable (Bench) async throws -> Void
  ) async throws {
    try await withDirectory { directory in
      let authority = CertificateAuthority(directory: "\(directory)/certificates")
      let identity = try await authority.issue(names)
      var configuration = NATSServer.Configuration(
        directory: "\(directory)/nats", address: "127.0.0.1", port: try freePort(),
        certificatePEM: identity.certificatePEM, key: identity.key, caPEM: identity.caPEM)
      configuration.maximumPayload = maximumPayload
      configuration.logSize = logSize
      configuration.logKeep = logKeep
      let server = NATSServer(configuration: configuration, logger: quiet)
      do {
        try await server.start()
        try await body(Bench(directory: directory, authority: authority, server: server))
      } catch {
        try await server.stop()
        throw error
      }
      try await server.stop()
    }
  }

  func configuration(_ subject: CertificateSubject) async throws -> NATSConfiguration {
    let identity = try await authority.issue(subject)
    var configuration = NATSConfiguration(
      urls: [server.url],
      tls: NATSTLS(certificatePEM: identity.certificatePEM, key: identity.key, caPEM: identity.caPEM))
    configuration.reconnectDelay = { _ in .milliseconds(20) }
    return configuration
  }

  /// A connection that stands; the caller closes it.
  func connect(
    _ subject: CertificateSubject, _ change: (inout NATSConfiguration) -> Void = { _ in }
  ) async throws -> NATSConnection {
    var configuration = try await configuration(subject)
    change(&configuration)
    let connection = try NATSConnection(configuration, logger: quiet)
    await connection.start()
    try await connection.waitUntilConnected(.seconds(20))
    return connection
  }
}

/// Waits until something is true; the test fails if it never is.
func eventually(
  _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  for _ in 0..<2000 {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  Issue.record(what, sourceLocation: sourceLocation)
}

/// The next event that the function picks.
func first<Result>(of events: AsyncStream<NATSEvent>, _ pick: (NATSEvent) -> Result?) async -> Result? {
  for await event in events {
    if let result = pick(event) { return result }
  }
  return nil
}

extension BusMessage {
  var text: String { String(decoding: payload, as: UTF8.self) }
}

/// Counts what happens in several tasks.
final class Tally: Sendable {
  private let value = Mutex(0)

  var count: Int { value.withLock { $0 } }

  func add() { value.withLock { $0 += 1 } }
}
