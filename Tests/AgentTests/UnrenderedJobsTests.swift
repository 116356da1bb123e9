import AgentProtocol
import Files
import Formats
import Glibc
import Logging
import Manifests
import Processes
import Releases
import Surroundings
import Templates
import Testing

@testable import Agent
@testable import Director

/// Sandboxes for templates need root, and Ruby must be there.
private let canRender = geteuid() == 0 && Files.isVisible("/usr/bin/ruby")

@Suite(.timeLimit(.minutes(10))) struct UnrenderedJobsTests {
  /// The job of slides 32 to 35.
  private static let manifest = """
    ---
    name: redis
    packages: [redis]
    templates:
      config/redis.conf.erb: config/redis.conf
      bin/redis_ctl: bin/redis_ctl
      data/properties.sh.erb: data/properties.sh
    properties:
      redis.port: {description: Port, default: 6379}
      redis.password: {description: Password, default: "r3d!s"}
    """
  private static let templates = [
    "config/redis.conf.erb": "port <%= p('redis.port') %>\nrequirepass <%= p('redis.password') %>\n",
    "bin/redis_ctl": "#!/bin/sh\necho <%= name %>/<%= index %>\n",
    "data/properties.sh.erb": """
    <%= spec.deployment %> <%= spec.job.name %> <%= spec.bootstrap %> <%= spec.id %> <%= spec.az.inspect %>
    <%= spec.ip %> <%= spec.address %> <%= spec.networks.default.netmask %> <%= spec.networks.default.dns_record_name %>
    <%= spec.release.name %>/<%= spec.release.version %> <%= spec.persistent_disk %> <%= spec.dns_domain_name %>
    <%= JSON.generate(properties.to_h) rescue p('redis').inspect %>

    """,
  ]
  private static let monit =
    "check process redis\n  with pidfile /var/vcap/sys/run/redis/<%= name %>.pid\n  group vcap\n"

  /// A deployment as the server resolves it, with these properties.
  private static func resolved(_ properties: String) throws -> ResolvedDeployment {
    let spec = try JobSpec(Array(manifest.utf8), file: "job.MF")
    let defaults = spec.properties.map { property -> (String, Value) in
      (property.name, ["default": property.defaultValue ?? .null])
    }
    let job = JobRecord(
      name: "redis", fingerprint: "f", blobID: "b", digest: "d",
      spec: JSON.text([
        "name": "redis", "packages": [],
        "templates": .object(ValueObject(spec.templates.map { ($0.source, Value.string($0.destination)) })),
        "properties": .object(ValueObject(defaults)),
      ]))
    let inputs = DeploymentInputs(
      directorName: "d",
      manifest: try DeploymentManifest(
        YAML.parse(
          """
          name: redis-solo
          releases: [{name: redis, version: "1"}]
          stemcells: [{alias: default, os: debian, version: latest}]
          update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000, update_watch_time: 1000}
          instance_groups:
          - name: redis
            instances: 1
            azs: [z1]
            jobs: [{name: redis, release: redis, properties: \(properties)}]
            vm_type: small
            stemcell: default
            networks: [{name: default}]
          """)),
      cloudConfig: try CloudConfig([
        YAML.parse(
          """
          azs: [{name: z1}]
          vm_types: [{name: small}]
          networks:
          - name: default
            subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.1, dns: [10.0.0.1], az: z1}]
          compilation: {workers: 1, network: default, az: z1, vm_type: small}
          """)
      ]), runtimeConfig: try RuntimeConfig([]),
      releases: [
        ReleaseRecord(
          name: "redis", version: "1", commitHash: "c", uncommittedChanges: false, jobs: [job], packages: [])
      ],
      stemcells: [StemcellRecord(name: "s", version: "1", operatingSystem: "debian", cid: "c", apiVersion: 3)],
      instances: [], addresses: [], options: DeployOptions(), newIdentifier: { "inst-1" })
    return try inputs.resolve()
  }

  /// What the server renders for the only instance.
  private static func onServer(_ resolved: ResolvedDeployment) async throws -> [String: [UInt8]] {
    let group = try #require(resolved.groups.first)
    let (job, instance) = (try #require(group.jobs.first), try #require(group.instances.first))
    let renderer = RubyRenderer(surroundings: .system, logger: Logger(label: "test"))
    let request = JobRenderRequest(
      jobName: "redis", monit: Array(monit.utf8),
      templates: job.spec.templates.map {
        JobTemplate(source: $0.source, destination: $0.destination, content: Array((templates[$0.source] ?? "").utf8))
      }, spec: resolved.templateSpec(of: job, on: instance), providedLinks: job.providedLinks)
    let jobs = try? await renderer.render(GroupRenderRequest(instanceGroup: "redis", jobs: [request]))
    await renderer.shutdown()
    let rendered = try #require(jobs?.first)
    var files = ["monit": rendered.monit, ".bosh/links.json": rendered.linksJSON]
    for file in rendered.files { files[file.destination] = file.content }
    return files
  }

  /// The same as an old director says it: slide 23.
  private static func spec(
    _ resolved: ResolvedDeployment, _ properties: ValueObject, _ test: TestAgent,
    templates: [String: String] = templates
  ) throws -> ApplySpec {
    let instance = try #require(resolved.groups.first?.instances.first)
    var files = ["job.MF": manifest, "monit": monit]
    for (path, text) in templates { files["templates/\(path)"] = text }
    let digest = try TestRelease.blob(files, "59f2df4e-d074-4361-a423-e20827566955", test)
    let value: Value = [
      "deployment": "redis-solo", "release": ["name": "redis", "version": "1"],
      "job": [
        "name": "redis", "release": "redis", "template": "redis", "version": "1",
        "templates": [
          [
            "name": "redis", "version": "1", "sha1": .string(digest),
            "blobstore_id": "59f2df4e-d074-4361-a423-e20827566955",
          ]
        ],
      ],
      "index": 0, "id": .string(instance.id), "az": "z1", "networks": .object(instance.networks), "packages": [:],
      "persistent_disk": 0, "configuration_hash": "9faf8fefb95ca77e274130d54decf3c54063b2fa",
      "properties": .object(properties), "template_hashes": ["redis": "1611520ec07e62f36ca4e40a9283cb442504cabd"],
    ]
    return try ApplySpec(value)
  }

  @Test(
    "a spec as on the slides becomes the files that the server renders",
    .enabled(if: canRender, "needs root and /usr/bin/ruby"),
    arguments: ["{}", "{redis: {port: 7000, password: supersecret}}"])
  func sameAsServer(properties: String) async throws {
    let resolved = try Self.resolved(properties)
    let expected = try await Self.onServer(resolved)
    try await TestAgent.with { test in
      let spec = try Self.spec(resolved, YAML.parse(properties).object ?? [:], test)
      #expect(try await test.call("prepare", spec.value.with(spec.release)) == "prepared")
      #expect(try await test.call("apply", spec.value.with(spec.release)) == "applied")
      for (path, content) in expected {
        let text = Files.textIfPresent("\(test.base)/jobs/redis/\(path)")
        #expect(text == String(decoding: content, as: UTF8.self), "\(path)")
      }
      let port = properties == "{}" ? "port 6379\nrequirepass r3d!s\n" : "port 7000\nrequirepass supersecret\n"
      #expect(Files.textIfPresent("\(test.base)/jobs/redis/config/redis.conf") == port)
      var information = stat()
      #expect(stat("\(test.base)/jobs/redis/bin/redis_ctl", &information) == 0)
      #expect(information.st_mode & 0o777 == 0o750)
      #expect(stat("\(test.base)/jobs/redis/config/redis.conf", &information) == 0)
      #expect(information.st_mode & 0o777 == 0o640)
      #expect(try AgentState(await test.call("get_state")).spec.job == spec.job)
    }
  }

  @Test(
    "other properties are another installation, and a template that fails changes nothing",
    .enabled(if: canRender, "needs root and /usr/bin/ruby"))
  func changes() async throws {
    let resolved = try Self.resolved("{}")
    try await TestAgent.with { test in
      let first = try Self.spec(resolved, [:], test)
      #expect(try await test.call("apply", first.value.with(first.release)) == "applied")
      let before = try Files.linkText("\(test.base)/jobs/redis")
      var second = first
      second.properties = ["redis": ["port": 1]]
      #expect(try await test.call("apply", second.value.with(second.release)) == "applied")
      let after = try Files.linkText("\(test.base)/jobs/redis")
      #expect(before != after)
      #expect(try Files.names(in: "\(test.base)/data/jobs/redis").count == 1)

      var templates = Self.templates
      templates["config/redis.conf.erb"] = "<%= p('redis.nothing') %>"
      let broken = try Self.spec(resolved, [:], test, templates: templates)
      let task = try await test.begin("apply", broken.value.with(broken.release))
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(error.message.contains("rendering the templates of jobs on this VM"))
      #expect(error.message.contains("config/redis.conf.erb") && error.message.contains("redis.nothing"))
      #expect(try Files.linkText("\(test.base)/jobs/redis") == after)
    }
  }

  @Test("without Ruby on the stemcell such a spec is refused, and says what to do")
  func noRuby() async throws {
    let resolved = try Self.resolved("{}")
    try await TestAgent.with { test in
      let spec = try Self.spec(resolved, [:], test)
      let ownership = Ownership(vcap: nil)
      let settings = try await SettingsStore(
        AgentConfiguration.load(test.layout.agentConfiguration), layout: test.layout,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let blobs = AgentBlobs(layout: test.layout, ownership: ownership, settings: settings, surroundings: .system)
      let jobs = UnrenderedJobs(
        layout: test.layout, ownership: ownership,
        installer: BundleInstaller(layout: test.layout, ownership: ownership, blobs: blobs), blobs: blobs,
        renderer: RendererConfiguration(ruby: "/usr/bin/no-ruby-here"), surroundings: .system,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let error = await #expect(throws: DroverError.self) { try await jobs.install(spec) }
      #expect(error?.code == .unsupported)
      #expect(error?.message.contains("this stemcell has no Ruby (/usr/bin/no-ruby-here)") == true)
    }
  }

  @Test("which specs are rendered on the VM")
  func recognition() throws {
    var spec = ApplySpec(configurationHash: "h")
    spec.job.templates = [.init(name: "a", version: "1", sha1: "s", blobstoreID: "b")]
    #expect(spec.rendersOnVM && spec.jobs.map(\.name) == ["a"])
    // The first, partial spec of a director that sends rendered archives later.
    spec.configurationHash = ""
    #expect(!spec.rendersOnVM && spec.jobs.isEmpty)
    spec.configurationHash = "h"
    spec.renderedTemplatesArchive = .init(sha1: "s", blobstoreID: "b")
    #expect(!spec.rendersOnVM && spec.jobs.map(\.name) == ["a"])
    spec.renderedTemplatesArchive = nil
    spec.job.templates[0].blobstoreID = nil
    #expect(!spec.rendersOnVM && spec.jobs.isEmpty)
  }
}

extension Value {
  /// The message's `release`, which the agent does not keep.
  fileprivate func with(_ release: ApplySpec.Release?) -> Value {
    guard var object, let release else { return self }
    object["release"] = ["name": .string(release.name), "version": .string(release.version)]
    return .object(object)
  }
}
