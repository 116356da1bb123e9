import Formats
import Testing

@testable import Messaging

@Suite("NATSAddress")
struct NATSAddressTests {
  @Test(
    "reads the URLs that BOSH writes, and those of clusters",
    arguments: [
      ("nats://10.0.0.6:4222", "10.0.0.6", 4222), ("nats://nats.example", "nats.example", 4222),
      ("10.0.0.6:4223", "10.0.0.6", 4223), ("tls://h:1/", "h", 1), ("nats://[fd00::1]:7", "fd00::1", 7),
      ("[::1]", "::1", 4222), ("NATS://h:65535", "h", 65535),
    ])
  func reads(url: String, host: String, port: Int) throws {
    let address = try NATSAddress(url)
    #expect(address.host == host)
    #expect(address.port == port)
    #expect(address.user == nil)
    #expect(address.demandsTLS == url.hasPrefix("tls"))
  }

  @Test("takes user and password out, decoded, and doesn't show them")
  func credentials() throws {
    let address = try NATSAddress("nats://me:p%40ss:w@h:1")
    #expect(address.user == "me")
    #expect(address.password?.reveal() == "p@ss:w")
    #expect("\(address)" == "h:1")
  }

  @Test(
    "refuses others and keeps passwords to itself",
    arguments: [
      "", "nats://", "http://h", "nats://h:0", "nats://h:x", "nats://h:65536", "nats://u:secret@",
      "nats://u:secr%zzet@h", "[::1]x", "h:1:2", "a b",
    ])
  func refuses(url: String) {
    let error = #expect(throws: DroverError.self) { try NATSAddress(url) }
    #expect(error?.code == .invalid)
    #expect(error?.message.contains("secr") == false)
  }
}

@Suite("NATSServerPool")
struct NATSServerPoolTests {
  @Test("goes round the configured servers and those it was told of")
  func rounds() throws {
    var pool = NATSServerPool([try NATSAddress("u:p@a:1"), try NATSAddress("b:1")])
    let first = pool.take()
    #expect(first.description == "a:1")
    pool.learn(["a:1", "c:1", "not an address", "c:1"], from: first)
    #expect((0..<4).map { _ in pool.take().description } == ["b:1", "c:1", "a:1", "b:1"])
    #expect(pool.servers.last?.user == "u")
    pool.learn([], from: first)
    #expect(pool.count == 2)
    #expect((0..<3).map { _ in pool.take().description } == ["a:1", "b:1", "a:1"])
  }
}
