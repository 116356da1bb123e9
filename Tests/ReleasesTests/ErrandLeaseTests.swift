import Formats
import Releases
import Testing

@Suite struct ErrandLeaseTests {
  private func leases(_ yaml: String) throws -> [ErrandLease] { try FieldReader(YAML.parse(yaml)).leases() }

  @Test("All but the type may be left out")
  func reads() throws {
    #expect(
      try leases(
        """
        leases:
        - {type: aws-account}
        - {type: cluster, as: c1, state: 1, to: used, then: free, wait: 30m}
        - {type: zone, wait: 0}
        """) == [
          ErrandLease(type: "aws-account"),
          ErrandLease(
            type: "cluster", name: "c1", state: "1", heldState: "used", finalState: "free", waitSeconds: 1800),
          ErrandLease(type: "zone", waitSeconds: 0),
        ])
    #expect(try leases("{}") == [])
    #expect(ErrandLease(type: "aws-account").variablePrefix == "DROVER_LEASE_AWS_ACCOUNT")
  }

  @Test(
    "What cannot be leased is refused by its place",
    arguments: [
      ("leases: [{as: a}]", "leases[0].type: missing"),
      ("leases: [{type: a, typ: b}]", "leases[0].typ: unknown key; allowed here: as, state, then, to, type, wait"),
      ("leases: [{type: 7up}]", "leases[0].type: '7up' cannot be what the errand calls its lease"),
      ("leases: [{type: a, as: data}]", "leases[0].as: 'data' cannot be"),
      ("leases: [{type: a, wait: soon}]", "leases[0].wait: "),
      (#"leases: [{type: a, then: "a\nb"}]"#, "leases[0].then: expected the name of a state"),
      ("leases: [{type: a, to: ''}]", "leases[0].to: expected the name of a state"),
      ("leases: [{type: a-b}, {type: x, as: a_b}]", "leases[1]: another lease is called 'a_b' too"),
    ])
  func refused(_ yaml: String, _ message: String) throws {
    let error = try #require(throws: DroverError.self) { try leases(yaml) }
    #expect("\(error)".contains(message), "\(error)")
  }

  @Test("Those of the manifest replace those of the release that have the same name")
  func merged() {
    let (own, other) = (ErrandLease(type: "a"), ErrandLease(type: "b"))
    let shorter = ErrandLease(type: "a", waitSeconds: 5)
    #expect(ErrandLease.merged([own, other], with: [shorter]) == [other, shorter])
  }
}
