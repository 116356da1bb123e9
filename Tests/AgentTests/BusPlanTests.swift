import AgentProtocol
import Formats
import HTTPService
import Messaging
import Testing

@testable import Agent

@Suite struct BusPlanTests {
  private func settings(_ mbus: String, _ bosh: ValueObject = [:]) throws -> EffectiveSettings {
    EffectiveSettings(
      document: try AgentSettings(["agent_id": "a", "mbus": .string(mbus), "env": ["bosh": .object(bosh)]]),
      update: UpdateSettings(), diskHints: [:])
  }

  private static let certificate: Value = ["ca": "CA", "certificate": "C", "private_key": "K"]

  @Test("certificates mean TLS, and nothing about them a bus without")
  func nats() throws {
    guard case .nats(let urls, let tls) = try BusPlan(settings("nats://u:p@h:4222"), requiresTLS: false) else {
      Issue.record("expected NATS")
      return
    }
    #expect(urls == ["nats://u:p@h:4222"] && tls == nil)
    let bus: ValueObject = ["mbus": ["urls": ["nats://one", "nats://two"], "cert": Self.certificate]]
    guard case .nats(let several, let mutual?) = try BusPlan(settings("", bus), requiresTLS: true) else {
      Issue.record("expected NATS with TLS")
      return
    }
    #expect(several == ["nats://one", "nats://two"])
    #expect(mutual.caPEM == "CA" && mutual.certificatePEM == "C" && mutual.key?.reveal() == "K")
    #expect(mutual.serverName == .boshNATS)
  }

  @Test("an https URL makes the agent itself a server")
  func https() throws {
    let bus: ValueObject = ["mbus": ["cert": Self.certificate]]
    guard case .https(let url, let tls) = try BusPlan(settings("https://u:p@0.0.0.0:6868", bus), requiresTLS: true)
    else {
      Issue.record("expected HTTPS")
      return
    }
    #expect(url.description == "https://0.0.0.0:6868" && url.credentials?.user == "u")
    #expect(tls.certificatePEM == "C" && tls.key.reveal() == "K")
  }

  @Test(
    "what cannot be a bus is refused, without its password, and half a certificate never means none",
    arguments: [
      ("", [:], false, "the settings name no message bus"),
      ("redis://u:geheim@h", [:], false, "mbus: 'redis' is no bus"),
      ("nats://h", [:], true, "mbus: the settings have no certificates"),
      ("tls://h", [:], false, "env.bosh.mbus.cert.ca: missing"),
      ("https://h:1", ["mbus": ["cert": certificate]], false, "mbus: https://h:1 names no user"),
      ("https://u:geheim@h:1", [:], false, "env.bosh.mbus.cert: certificate or private_key missing"),
      (
        "nats://h", ["mbus": ["cert": ["certificate": "C", "private_key": "K"]]], false,
        "env.bosh.mbus.cert.ca: missing"
      ),
      ("nats://h", ["mbus": ["cert": ["ca": "CA", "certificate": "C"]]], false, "env.bosh.mbus.cert: certificate and"),
      ("", ["mbus": ["urls": ["nats://h", "https://u:geheim@h"]]], false, "mbus: all URLs must be of one cluster"),
    ] as [(String, ValueObject, Bool, String)])
  func refused(mbus: String, bosh: ValueObject, requiresTLS: Bool, message: String) throws {
    let settings = try settings(mbus, bosh)
    let error = try #require(throws: DroverError.self) { try BusPlan(settings, requiresTLS: requiresTLS) }
    #expect(error.message.hasPrefix(message) && !error.description.contains("geheim"), "\(error)")
  }

  @Test(
    "hosts that are addresses are told from names",
    arguments: [
      ("nats://10.0.0.1:4222", "10.0.0.1"), ("nats://u:p@10.0.0.1", "10.0.0.1"), ("nats://[fd00::1]:4222", "fd00::1"),
      ("nats://nats.example", nil), ("", nil),
    ] as [(String, String?)])
  func addresses(url: String, address: String?) { #expect(BusConnections.address(url) == address) }

  @Test(
    "requests over HTTPS are about messages or blobs, or about nothing",
    arguments: [
      ("POST", "/agent", HTTPSEndpoint.Route.message), ("GET", "/agent", .nothing), ("POST", "/agent/", .nothing),
      ("PUT", "/blobs/b1", .putBlob("b1")), ("GET", "/blobs/ab/b1", .getBlob("b1")), ("DELETE", "/blobs/b1", .nothing),
      ("GET", "/blobs/", .nothing), ("GET", "/blobs/..", .nothing), ("GET", "/", .nothing), ("PUT", "/blobs", .nothing),
    ])
  func routes(method: String, path: String, route: HTTPSEndpoint.Route) {
    #expect(HTTPSEndpoint.Route(method, path) == route)
  }
}

@Suite struct MessageLogTests {
  @Test("a message is one line with method, arguments and reply subject, as operators grep for it")
  func line() {
    let request = AgentRequest(
      method: "apply", arguments: [["deployment": "d", "properties": ["redis": ["password": "r3d!s"]]]],
      replyTo: "director.1.a.2")
    #expect(
      MessageLog.text(of: request, bytes: 100, isLoggable: true)
        == #"{"protocol":3,"method":"apply","arguments":[{"deployment":"d","properties":"‹redacted›"}],"reply_to":"director.1.a.2"}"#
    )
    #expect(
      MessageLog.text(of: request, bytes: 100, isLoggable: false)
        == #"{"protocol":3,"method":"apply","arguments":"‹not logged›","reply_to":"director.1.a.2"}"#)
    #expect(
      MessageLog.text(of: request, bytes: 100_000, isLoggable: true)
        == #"{"protocol":3,"method":"apply","arguments":"‹100000 bytes›","reply_to":"director.1.a.2"}"#)
  }

  @Test(
    "texts keep their places and lose passwords, signatures and keys",
    arguments: [
      ("nats://nats:nats@h:4222", "nats://nats:‹redacted›@h:4222"), ("nats://h:4222", "nats://h:4222"),
      ("http://admin:a@b@h:1/x", "http://admin:‹redacted›@h:1/x"), ("http://h/blob?sig=1", "http://h/blob?‹redacted›"),
      ("https://u@h/x?y", "https://u@h/x?‹redacted›"), ("plain text: a@b", "plain text: a@b"),
      ("-----BEGIN RSA PRIVATE KEY-----\nAA", "‹redacted›"), ("-----BEGIN CERTIFICATE-----\nAA", "‹certificate›"),
    ])
  func texts(text: String, shown: String) { #expect(Redaction.text(text) == shown) }

  @Test("names that sound secret are, and settings show what the agent reads of env")
  func names() throws {
    let settings = try JSON.parse(
      #"{"agent_id":"a","mbus":"nats://u:p@h","blobstore":{"options":{"user":"agent","password":"x","secret_access_key":"x"}},"#
        + #""env":{"group":"x","bosh":{"password":"x","authorized_keys":["x"],"parallel":5,"#
        + #""mbus":{"cert":{"ca":"-----BEGIN CERTIFICATE-----x","private_key":"x"}}}}}"#)
    #expect(
      JSON.text(Redaction.settings(settings))
        == #"{"agent_id":"a","mbus":"nats://u:‹redacted›@h","blobstore":{"options":{"user":"agent","password":"‹redacted›","#
        + #""secret_access_key":"‹redacted›"}},"env":{"group":"‹redacted›","bosh":{"password":"‹redacted›","#
        + #""authorized_keys":"‹redacted›","parallel":5,"mbus":{"cert":{"ca":"‹certificate›","private_key":"‹redacted›"}}}}}"#
    )
  }
}
