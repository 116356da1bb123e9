import Testing

@testable import CommandLine

@Suite("PoolsOptions") struct PoolsOptionsTests {
  @Test(
    "the flag counts over the environment, that over this machine's server, and that over where Boskos is",
    arguments: [
      (nil, nil, nil, "http://127.0.0.1:8080"), (nil, nil, "127.0.0.1:28180", "http://127.0.0.1:28180"),
      (nil, "https://pools:1", "127.0.0.1:28180", "https://pools:1"), ("boskos:9", "pools:1", nil, "http://boskos:9"),
      ("", "", "h:1", "http://h:1"),
    ] as [(String?, String?, String?, String)])
  func address(_ flag: String?, _ variable: String?, _ local: String?, _ expected: String) {
    let variables = variable.map { ["DROVER_POOLS_URL": $0] } ?? [:]
    #expect(PoolsOptions.url(flag: flag, variables: variables, local: local) == expected)
  }
}
