import Files
import Formats
import Processes
import Testing

/// The errand of `examples/web-release`, which the release defines as one: on a VM of its own, on running instances, and in
/// the very manifest of the proposal of errands.
struct ReleaseErrandSteps: Sendable {
  let server: ServerUnderTest

  func run() async throws {
    try await onOwnVM()
    try await colocated()
    try await proposal()
    try await stock()
  }

  private func smokeTest(_ deployment: String, _ arguments: String...) async throws -> CommandResult {
    try await server.command(
      ["\(server.programs)/drover", "run", "errand", "smoke_test", "-d", deployment] + arguments
    ).result()
  }

  private func onOwnVM() async throws {
    let errands = try await server.drover("errands", "-d", "web")
    #expect(errands.text.contains("smoke_test"), "\(errands.text)")
    let run = try await smokeTest("web")
    #expect(run.ending == .exited(0), "\(run.text) \(run.lastErrorLines(20))")
    #expect(run.text.hasSuffix("0 of 2 servers do not say what they should\n"), "\(run.text)")
    let failing = try await smokeTest("web", "two words")
    #expect(failing.ending == .exited(2), "\(failing.text) \(failing.lastErrorLines(20))")
    let vms = try JSON.parse(try await server.drover("vms", "-d", "web", "--json").output).array ?? []
    #expect(vms.count == 2, "the errand's VM is still there: \(vms)")
  }

  /// Beside a job, with a script that is not executable there and one that is not there.
  private func colocated() async throws {
    let manifest = try server.manifest(
      "web",
      changing: [
        ("  - name: web\n    release: web\n", "  - {name: smoke_test, release: web}\n  - name: web\n    release: web\n")
      ])
    try await server.succeed("deploy", "-n", manifest)
    let run = try await smokeTest("web", "--instance", "web/0", "hello", "")
    #expect(run.ending == .exited(0), "\(run.text) \(run.lastErrorLines(20))")
    let look = "sudo find /var/vcap/jobs /var/vcap/errands -mindepth 1 -maxdepth 1 | sort; sudo monit summary"
    let found = try await server.drover("ssh", "-d", "web", "web/0", "-c", look)
    #expect(found.text.contains("/var/vcap/errands/smoke_test"), "\(found.text) \(found.lastErrorLines())")
    #expect(!found.text.contains("/var/vcap/jobs/smoke_test"), "\(found.text)")
    #expect(!found.text.contains("Process 'smoke_test'"), "\(found.text)")
    for (change, code) in [("chmod a-x", 126), ("rm", 127)] {
      _ = try await server.drover(
        "ssh", "-d", "web", "web/0", "-c", "sudo \(change) /var/vcap/errands/smoke_test/execute")
      let refused = try await smokeTest("web", "--instance", "web/0")
      #expect(refused.ending == .exited(code), "\(refused.text) \(refused.lastErrorLines(20))")
    }
    // Without it, it is gone from the instance.
    try await server.succeed("deploy", "-n", server.manifest("web"))
    let left = try await server.drover("ssh", "-d", "web", "web/0", "-c", "sudo ls /var/vcap/errands")
    #expect(left.succeeded && left.text.isEmpty, "\(left.text) \(left.lastErrorLines())")
  }

  /// What the proposal of errands shows, with its dots filled in.
  private func proposal() async throws {
    let text = """
      ---
      name: proposal
      releases:
      - {name: web, version: latest}
      update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000-30000, update_watch_time: 1000-30000}
      networks:
      - name: default
        subnets:
        - {range: 10.244.\(server.subnet).0/24, gateway: 10.244.\(server.subnet).1}
      resource_pools:
      - name: default
        network: default
        stemcell: {os: debian-bookworm, version: latest}
      jobs:
      - {name: web, template: web, instances: 1, resource_pool: default}
      errands:
      - name: smoke_test
        release: web
        templates:
        - name: smoke_test
        resource_pool: default
        networks:
        - name: default
          default:
          - dns
          - gateway
        # instances: 1
        # persistent_disk: 20480

      """
    let manifest = "\(server.folder)/proposal.yml"
    try Files.replace(manifest, with: Array(text.utf8))
    try await server.succeed("deploy", "-n", manifest)
    let run = try await smokeTest("proposal")
    #expect(run.ending == .exited(0), "\(run.text) \(run.lastErrorLines(20))")
    #expect(run.text.contains("web/0 says: hello from web/0\n"), "\(run.text)")
    let failing = try await smokeTest("proposal", "goodbye")
    #expect(failing.ending == .exited(1), "\(failing.text) \(failing.lastErrorLines(20))")
    try await server.succeed("delete-deployment", "-n", "-d", "proposal")
  }

  /// The stock CLI writes a release's tarball anew when it uploads it: errands have to come through.
  private func stock() async throws {
    guard let bosh = StockCommandLine(server, deployment: "web") else { return }
    let tarball = "\(server.folder)/stock.tgz"
    let created = try await server.drover(
      "create-release", "--dir", "examples/web-release", "--force", "--tarball", tarball, "--json")
    let version = try #require(try JSON.parse(created.output)["version"]?.string)
    let upload = try await bosh.run("upload-release", tarball)
    #expect(upload.succeeded, "\(upload.text) \(upload.lastErrorLines(20))")
    let inspected = try await bosh.run("inspect-release", "web/\(version)")
    #expect(inspected.text.contains("smoke_test/"), "\(inspected.text) \(inspected.lastErrorLines())")
    let ours = try await server.drover("inspect-release", "web/\(version)", "--json")
    let kinds = (try JSON.parse(ours.output).array ?? []).map {
      "\($0["kind"]?.string ?? "") \($0["name"]?.string ?? "")"
    }
    #expect(kinds == ["errand smoke_test", "job web"], "\(ours.text)")
    let deploy = try await bosh.run("deploy", try server.manifest("web"))
    #expect(deploy.succeeded, "\(deploy.text) \(deploy.lastErrorLines(20))")
    let errands = try await bosh.run("errands")
    #expect(errands.text.contains("smoke_test"), "\(errands.text) \(errands.lastErrorLines())")
    let run = try await bosh.run("run-errand", "smoke_test")
    #expect(run.succeeded && run.text.contains("0 of 2 servers"), "\(run.text) \(run.lastErrorLines(20))")
  }
}
