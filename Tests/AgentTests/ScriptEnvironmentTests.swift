import Testing

@testable import Agent

@Suite struct ScriptEnvironmentTests {
  @Test("Scripts do not find what the agent's own start has left behind, and what an action adds counts")
  func variables() {
    let agent = [
      "OLDPWD": "/etc/sv/agent", "PWD": "/", "SHLVL": "1", "_": "/usr/bin/env", "LD_PRELOAD": "x.so",
      "SWIFT_BACKTRACE": "enable=no", "PATH": "/odd", "HOME": "/", "container": "drover",
    ]
    let environment = ScriptEnvironment(agent: agent, layout: VMLayout())
    #expect(
      environment.base == [
        "PATH": ScriptEnvironment.path, "HOME": "/root", "TMPDIR": "/var/vcap/data/tmp", "container": "drover",
      ])
    #expect(
      environment.with(["HOME": "/home", "A": "b"]) == [
        "PATH": ScriptEnvironment.path, "HOME": "/home", "TMPDIR": "/var/vcap/data/tmp", "container": "drover",
        "A": "b",
      ])
  }
}
