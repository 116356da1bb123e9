import Configuration
import Formats
import TestSupport
import Testing

@testable import Server

@Suite struct ConfigurationFileTests {
  private func text(_ yaml: String, _ key: String) throws -> ConfigContent? {
    try ConfigurationFile.values(YAML.parse(yaml))[AbsoluteConfigKey(key.split(separator: ".").map(String.init))]?
      .content
  }

  @Test("Sections and numbers are read by their dotted keys")
  func sections() throws {
    let yaml = "name: two\napi: {port: 25556, names: [director.example]}\n"
    #expect(try text(yaml, "name") == .string("two"))
    #expect(try text(yaml, "api.port") == .string("25556"))
    #expect(try text(yaml, "api.names") == .stringArray(["director.example"]))
    #expect(try text("", "name") == nil)
  }

  @Test(
    "What a key does not take is refused by its name",
    arguments: [
      ("api: {prot: 1}", "unknown key 'api.prot'; there are: name, state, api.address"),
      ("users: admin", "'users': expected a list, found 'admin'"),
      ("name: [a]", "'name': expected a single value, found a list"),
      ("- a", "expected keys and values, found '[\"a\"]'"),
    ])
  func refused(_ yaml: String, _ message: String) throws {
    let error = try #require(throws: DroverError.self) { try ConfigurationFile.values(YAML.parse(yaml)) }
    #expect(error.description.contains(message), "\(error)")
  }

  @Test("Flags go over the file, and ports are ports")
  func precedence() async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/droverd.yml"
      try writeTestFile(file, "name: two\napi:\n  port: 25556\n  address: 127.0.0.9\n")
      let read = try ServerConfiguration.load(file: file, flags: ["api.port": "25557"])
      #expect(read.name == "two")
      #expect(read.apiPort == 25557)
      #expect(read.apiAddress == "127.0.0.9")
      let error = try #require(throws: DroverError.self) {
        try ServerConfiguration.load(file: file, flags: ["api.port": "x"])
      }
      #expect(
        error.description.contains("configuration api.port: expected a port from 1 to 65535, found 'x'"), "\(error)")
    }
  }

  @Test("The services of pools are read from the file, and from a flag with commas")
  func poolServices() async throws {
    let text = """
      pools: {resources: /r.yaml, services: [janitor, mason], janitor_pool_size: 3, mason_pool_size: 4}
      """
    try await withFile(text) { path in
      let pools = try #require(try ServerConfiguration.load(file: path, flags: [:]).pools)
      #expect(pools.services == [.janitor, .mason] && pools.janitorPoolSize == 3 && pools.masonPoolSize == 4)
      #expect(pools.reaperExpiry == nil)
      let flagged = try #require(
        try ServerConfiguration.load(file: path, flags: ["pools.services": "reaper,cleaner"]).pools)
      #expect(flagged.services == [.reaper, .cleaner] && flagged.reaperExpiry == .seconds(1800))
      #expect(throws: DroverError.self) {
        try ServerConfiguration.load(file: path, flags: ["pools.services": "gardener"])
      }
    }
  }

  @Test("A cluster of others is read from the section 'nats'")
  func cluster() async throws {
    try await withFile(
      """
      nats:
        urls: [nats://10.0.0.5:4222, nats://10.0.0.6:4222]
        ca: /etc/nats/ca.crt
        issuer: {certificate: /etc/nats/agents.crt, key: /etc/nats/agents.key}
        authorization_file: /etc/nats/drover.json
        reload_command: systemctl reload nats-server
      """
    ) { file in
      let cluster = try #require(try ServerConfiguration.load(file: file, flags: [:]).cluster)
      #expect(cluster.urls == ["nats://10.0.0.5:4222", "nats://10.0.0.6:4222"])
      #expect(cluster.ca == "/etc/nats/ca.crt")
      #expect(cluster.director == nil)
      #expect(cluster.issuer == .init(certificate: "/etc/nats/agents.crt", key: "/etc/nats/agents.key"))
      #expect(cluster.authorizationFile == "/etc/nats/drover.json")
      #expect(cluster.reloadCommand == "systemctl reload nats-server")
    }
    try await withFile("name: two") { file in
      let none = try ServerConfiguration.load(file: file, flags: [:]).cluster
      #expect(none == nil)
    }
  }

  @Test(
    "A cluster that is described by halves is refused by the key that is missing",
    arguments: [
      ("nats: {ca: /ca.crt}", "nats.urls: missing"),
      ("nats: {urls: [a], key: /k}", "nats.certificate: missing"),
      ("nats: {urls: [a], issuer: {certificate: /c}}", "nats.issuer.key: missing"),
      ("nats: {urls: [a], ca: ca.crt}", "nats.ca: expected an absolute path, found 'ca.crt'"),
      ("nats: {urls: [a], reload_command: b}", "nats.authorization_file, which is missing"),
    ])
  func halfCluster(_ yaml: String, _ message: String) async throws {
    try await withFile(yaml) { file in
      let error = try #require(throws: DroverError.self) { try ServerConfiguration.load(file: file, flags: [:]) }
      #expect(error.description.contains(message), "\(error)")
    }
  }

  private func withFile(_ yaml: String, _ work: (String) throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/droverd.yml", yaml)
      try work("\(folder)/droverd.yml")
    }
  }
}
