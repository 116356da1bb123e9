import Clouds
import Files
import Formats
import Foundation
import Logging
import Processes
import Surroundings
import Testing

/// The path through debootstrap takes a minute, so it runs when it is asked for.
@Suite(
  "StemcellBuilder",
  .enabled(
    if: RealCloud.isPossible && ProcessInfo.processInfo.environment["DROVER_TEST_STEMCELL_CACHE"] != nil,
    "set DROVER_TEST_STEMCELL_CACHE to a folder to build a stemcell by debootstrap"))
struct StemcellBuilderTests {
  static let agent = """
    #!/bin/sh
    echo "agent with $*"
    exec sleep 100000
    """

  @Test("a built stemcell boots: agent and sshd run, users are there, ending the VM stops it quickly")
  func boot() async throws {
    let cache = try #require(ProcessInfo.processInfo.environment["DROVER_TEST_STEMCELL_CACHE"])
    try Files.makeFolder(cache)
    let agent = "\(cache)/stand-in"
    try Files.replace(agent, with: Array(Self.agent.utf8), mode: 0o755)
    let clock = ContinuousClock()
    func time<T>(_ what: String, _ body: () async throws -> T) async throws -> T {
      let start = clock.now
      defer { print("\(what): \(clock.now - start)") }
      return try await body()
    }
    let builder = StemcellBuilder(configuration: StemcellBuilder.Configuration(cache: cache, agent: agent))
    let stemcell = try await time("build") {
      try await builder.build { line in print("\(clock.now) \(line)") }
    }
    let again = try await time("build again") { try await builder.build() }
    #expect(again.cached)
    #expect(again.path == stemcell.path)
    #expect(again.version == stemcell.version)
    print("stemcell \(stemcell.version): \((try Files.size(stemcell.path) ?? 0) >> 20) MB")

    try await Command("tar", "-C", cache, "-xf", stemcell.path).run()
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let id = try await time("import") {
        try await cloud.createStemcell(imagePath: "\(cache)/image", cloudProperties: [:], tags: [:])
      }
      _ = try await time("import again") {
        try await cloud.createStemcell(imagePath: "\(cache)/image", cloudProperties: [:], tags: [:])
      }
      for round in 1...3 {
        var request = fixture.request(address: 10 + round)
        request.stemcell = id
        let start = clock.now
        let vm = try await time("create_vm") { try await cloud.createVM(request) }.id
        let ssh = "exec 3<>/dev/tcp/\(fixture.network).\(10 + round)/22 && head -c 7 <&3"
        var answer = try await Command("bash", "-c", ssh).result()
        while answer.text != "SSH-2.0" && clock.now - start < .seconds(10) {
          try await Task.sleep(for: .milliseconds(5))
          answer = try await Command("bash", "-c", ssh).result()
        }
        print("sshd answers after: \(clock.now - start)")
        #expect(answer.text == "SSH-2.0")
        #expect(try await fixture.shell(vm, "sv status agent sshd cron | grep -c ^run:") == "3")
        #expect(try await fixture.shell(vm, "id -un 1000; id -Gn vcap").hasPrefix("vcap\nvcap"))
        #expect(try await fixture.shell(vm, "cat /var/vcap/bosh/log/current").contains("agent with -P container"))
        #expect(try await fixture.shell(vm, "cat /var/vcap/bosh/etc/stemcell_version") == stemcell.version)
        #expect(
          try await fixture.shell(
            vm, "useradd -m someone && su someone -c 'echo $HOME' && chown someone /tmp && sudo -n id -u"
          ) == "/home/someone\n0")
        #expect(try await fixture.shell(vm, "chpst -u vcap:vcap id -u; command -v start-stop-daemon gcc make") != "")
        if round == 3 {
          try await time("reboot_vm") { try await cloud.rebootVM(vm) }
          #expect(try await fixture.shell(vm, "id -u someone") != "")
          try await time("stopAll of 3") { try await cloud.stopAll() }
          try await time("recover of 3") { try await cloud.recover() }
        }
      }
      for vm in try await cloud.vms() {
        #expect(vm.state == .running)
        print("memory of an idle VM: \((vm.memory ?? 0) >> 10) KB")
        try await time("delete_vm") { try await cloud.deleteVM(vm.id) }
      }
    }
  }
}
