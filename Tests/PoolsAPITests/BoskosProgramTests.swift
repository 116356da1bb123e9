import Formats
import GoConventions
import Logging
import PoolsProtocol
import Surroundings
import TestSupport
import Testing

@testable import PoolsAPI

@Suite struct BoskosProgramTests {
  private func plan(_ arguments: String...) throws -> BoskosProgram.Plan {
    try BoskosProgram.plan(GoFlags(arguments, BoskosProgram.flags))
  }

  @Test("flags are read as Go reads them: one dash or two, with = or without")
  func flags() throws {
    let plan = try plan("-in_memory", "-config=/c.yaml", "--port", "18080", "-request-ttl=1m", "-log-level", "debug")
    #expect(plan.configuration.resources == "/c.yaml" && plan.configuration.port == 18080)
    #expect(plan.configuration.database == nil && plan.configuration.requestTime == .seconds(60))
    #expect(plan.level == .debug && plan.configuration.address == "127.0.0.1")
    let defaults = try self.plan()
    #expect(defaults.configuration.port == 8080 && defaults.configuration.healthPort == 8081)
    #expect(defaults.configuration.metricsPort == 9090 && defaults.configuration.database == "boskos.db")
  }

  @Test(
    "flags that are not understood are refused in Go's words",
    arguments: [
      (["-bogus"], "flag provided but not defined: -bogus"), (["-port"], "flag needs an argument: -port"),
      (["-port=x"], #"invalid value "x" for flag -port: parse error"#),
      (["-in_memory=maybe"], #"invalid boolean value "maybe" for -in_memory: parse error"#),
      (["---x"], "bad flag syntax: ---x"),
    ])
  func refused(arguments: [String], text: String) {
    #expect(throws: GoFlags.Failure.wrong(text)) { try GoFlags(arguments, BoskosProgram.flags) }
  }

  @Test("storage in Kubernetes is refused with a sentence that says what to do")
  func kubernetes() {
    #expect { try plan("-kubeconfig=/k") } throws: { error in
      (error as? DroverError)?.code == .unsupported && "\(error)".contains("-in_memory")
    }
    #expect { try plan("-namespace=test-pods") } throws: { "\($0)".contains("-namespace is about resources kept") }
    #expect(throws: DroverError.self) { try plan("-in_memory", "-enable-leader-election") }
    #expect(throws: DroverError.self) { try plan("-log-level=loud") }
  }

  @Test("what of Kubernetes' flags wants nothing is taken")
  func namespace() throws {
    #expect(try plan("-namespace=default").configuration.database == "boskos.db")
    #expect(try plan("-in_memory", "-namespace", "test-pods").configuration.database == nil)
    #expect(try plan("-enable-leader-election=false").level == .info)
  }
}
