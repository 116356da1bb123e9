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
}
