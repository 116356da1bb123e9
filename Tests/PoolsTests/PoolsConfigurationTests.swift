import Formats
import Testing

@testable import Pools

@Suite struct PoolsConfigurationTests {
  private func load(_ text: String) throws -> PoolsConfiguration { try .load(Array(text.utf8)) }

  @Test("a file is read, YAML or JSON, whatever the case of its keys")
  func reads() throws {
    let configuration = try load(
      """
      Resources:
      - type: account
        NAMES: [a, 17]
        unknown: true
      - type: cluster
        state: dirty
        min-count: 1
        max-count: 2
        lifespan: 48h
        needs: {account: 1}
        config: {type: Creator, content: "..."}
      """)
    #expect(
      configuration.entries == [
        .init(type: "account", names: ["a", "17"]),
        .init(
          type: "cluster", state: "dirty", minimum: 1, maximum: 2, lifespan: .seconds(48 * 3600),
          needs: ["account": 1], construction: .init(type: "Creator", content: "...")),
      ])
    #expect(
      try load(#"{"resources":[{"type":"t","max-count":3,"lifespan":5000000000}]}"#).entries
        == [.init(type: "t", maximum: 3, lifespan: .seconds(5))])
    #expect(
      try load("resources: [{type: t, names: {prefix: account-, count: 3}}]").entries
        == [.init(type: "t", names: ["account-1", "account-2", "account-3"])])
  }

  private static let subdomain =
    "is invalid: [a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
    + "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]"
  private static let json = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "

  @Test(
    "every fault is said in the original's words",
    arguments: [
      ("", "empty config"), ("resources: []", "empty config"),
      ("resources: [{names: [a]}]", ".0.type: must be set"), ("resources: [{type: t}]", ".0.max-count: must be >0"),
      (
        "resources: [{type: t, min-count: 1}]",
        "[.0.max-count: must be >0, .0.min-count: must be <= .0.max-count]"
      ),
      ("resources: [{type: t, min-count: 3, max-count: 2}]", ".0.min-count: must be <= .0.max-count"),
      (
        "resources: [{type: t, names: [a], min-count: 1, max-count: 2}]",
        "[.0.min-count must be unset when the names property is set, .0.max-count must be unset when the names property "
          + "is set]"
      ),
      ("resources: [{type: t, names: [A]}]", ".0.names.0(A) \(subdomain)"),
      (
        "resources: [{type: t, names: [A, b, -]}]",
        "[.0.names.0(A) \(subdomain), .0.names.2(-) \(subdomain)]"
      ),
      ("resources: [{type: t, names: [a]}, {type: u, names: [b, a]}]", ".1.names.1(a) is a duplicate"),
      (
        "resources: [{type: t, max-count: 1, needs: {u: 1}}]",
        "[need for resource u that does not exist, not enough resource of type u for provisioning]"
      ),
      (
        "resources: [{type: t, max-count: 2, needs: {u: 2}}, {type: u, names: [a, b, c]}]",
        "not enough resource of type u for provisioning"
      ),
      (
        #"resources: [{type: t, max-count: "2"}]"#,
        json + "string into Go struct field ResourceEntry.resources.max-count of type int"
      ),
      ("resources: [{type: t, max-count: 1, lifespan: 1.5}]", json + "number 1.5 into Go value of type int64"),
      (
        "resources: [{type: t, max-count: 1, lifespan: 5x}]",
        #"error unmarshaling JSON: while decoding JSON: time: unknown unit "x" in duration "5x""#
      ),
      ("just a text", json + "string into Go value of type common.BoskosConfig"),
      ("resources: {}", json + "object into Go struct field BoskosConfig.resources of type []common.ResourceEntry"),
    ])
  func refuses(text: String, message: String) {
    #expect { try load(text) } throws: { error in
      let found = (error as? DroverError)?.message
      return found == message
    }
  }
}
