import Testing

@testable import CommandLine

@Suite("JoinedFlags") struct JoinedFlagsTests {
  @Test(
    "a short flag and its value may be one word, and nothing else is touched",
    arguments: [
      ("vms -dredis", "vms -d redis"), ("-dredis vms", "-d redis vms"), ("vms -d redis", "vms -d redis"),
      ("vms -d=redis", "vms -d=redis"), ("vms -ehttps://h:25555 -dr", "vms -e https://h:25555 -d r"),
      ("-n -dredis deploy m.yml", "-n -d redis deploy m.yml"), ("vms -d", "vms -d"), ("vms", "vms"),
      ("logs -dredis web/0 -f", "logs -d redis web/0 -f"),
      // Behind -- nothing is a flag.
      ("ssh -dr web/0 -- -dx", "ssh -d r web/0 -- -dx"),
      ("run-errand -dr x -- -dy -ez", "run-errand -d r x -- -dy -ez"),
      // The value of another flag.
      ("vms --client -dx", "vms --client -dx"), ("run-errand -E -dx smoke", "run-errand -E -dx smoke"),
      ("vms -d -dx", "vms -d -dx"),
      // What is the script's.
      ("run-errand -dr smoke -dx", "run-errand -d r smoke -dx"), ("run-errand smoke -dx", "run-errand smoke -dx"),
      ("run errand -dr smoke -dx -ey", "run errand -d r smoke -dx -ey"),
      ("-dr run errand smoke -dx", "-d r run errand smoke -dx"),
      ("run-errand --timeout 5m -dr smoke a -dx", "run-errand --timeout 5m -d r smoke a -dx"),
      ("run-errand -eA=b smoke", "run-errand -e A=b smoke"),
      // Commands whose flags have one dash, and those that run others.
      ("pools mason -dynamic x", "pools mason -dynamic x"), ("lease t ./x -dy", "lease t ./x -dy"),
      // One dash too few.
      ("vms -deployment redis", "vms -deployment redis"), ("vms -environment=x", "vms -environment=x"),
      ("run-errand -detach x", "run-errand -detach x"),
    ])
  func words(_ written: String, _ expected: String) {
    let words = written.split(separator: " ").map(String.init)
    #expect(JoinedFlags.apart(words).joined(separator: " ") == expected)
  }

  @Test("a certificate may be given as text")
  func certificate() throws {
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    let before = try #require(Drover.parsed(["--ca-cert", pem, "-dredis", "vms"]) as? VMs)
    #expect(before.options.caCert == pem && before.options.deployment == "redis")
    let behind = try #require(Drover.parsed(["vms", "--ca-cert", pem]) as? VMs)
    #expect(behind.options.caCert == pem)
  }

  @Test("the script has its own -dNAME, and the command has the one before the errand")
  func parsed() throws {
    let command = try #require(
      Drover.parsed(["run", "errand", "-dredis", "smoke", "-dx", "--", "-dy"]) as? RunErrand)
    #expect(command.options.deployment == "redis")
    #expect(command.arguments == ["-dx", "-dy"])
  }
}
