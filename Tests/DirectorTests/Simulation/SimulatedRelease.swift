import Archives
import Blobs
import Formats

@testable import Director

/// What is deployed in simulations: a release with a database, a web server and an errand.
enum SimulatedRelease {
  static let cloudConfig = """
    azs: [{name: z1}, {name: z2}]
    vm_types: [{name: small}]
    disk_types: [{name: big, disk_size: 1024}, {name: bigger, disk_size: 2048}]
    networks:
    - name: default
      subnets:
      - {range: 10.0.1.0/24, gateway: 10.0.1.1, az: z1}
      - {range: 10.0.2.0/24, gateway: 10.0.2.1, az: z2}
    compilation: {workers: 2, network: default, az: z1, vm_type: small, reuse_compilation_vms: true}
    """

  /// - Parameters:
  ///   - webs: how many web instances.
  ///   - port: a property of the web job.
  static func manifest(_ name: String = "data", webs: Int = 3, port: Int = 80, disk: String = "big", smokes: Int = 1)
    -> String
  {
    """
    name: \(name)
    releases: [{name: data, version: latest}]
    stemcells: [{alias: default, os: debian, version: latest}]
    update: {canaries: 1, max_in_flight: 2, canary_watch_time: 1000-10000, update_watch_time: 1000-10000}
    instance_groups:
    - name: db
      instances: 1
      azs: [z1]
      jobs: [{name: db, release: data}]
      vm_type: small
      stemcell: default
      persistent_disk_type: \(disk)
      networks: [{name: default}]
    - name: web
      instances: \(webs)
      azs: [z1, z2]
      jobs: [{name: web, release: data, properties: {port: \(port)}}]
      vm_type: small
      stemcell: default
      networks: [{name: default}]
    - name: smoke
      lifecycle: errand
      instances: \(smokes)
      azs: [z1]
      jobs: [{name: smoke-tests, release: data}]
      vm_type: small
      stemcell: default
      networks: [{name: default}]
    """
  }

  static func release(_ version: String, _ world: SimulatedWorld, _ folder: String) async throws -> ReleaseRecord {
    let jobs: [(name: String, spec: Value)] = [
      ("db", ["name": "db", "templates": ["ctl": "bin/ctl"], "packages": ["db"], "properties": [:]]),
      (
        "web",
        [
          "name": "web", "templates": ["ctl": "bin/ctl", "check": "bin/run"], "packages": ["web", "tools"],
          "properties": ["port": ["default": 80]],
        ]
      ),
      (
        "smoke-tests",
        ["name": "smoke-tests", "templates": ["run": "bin/run"], "packages": ["tools"], "properties": [:]]
      ),
    ]
    var records: [JobRecord] = []
    for (name, spec) in jobs {
      let path = "\(folder)/\(name).tgz"
      let archive = try ArchiveWriter(file: path)
      func add(_ path: String, _ text: String) throws {
        try archive.add(
          ArchiveEntry(path: path, kind: .file, size: text.utf8.count, mode: 0o644), content: Array(text.utf8))
      }
      try add("job.MF", JSON.text(spec))
      try add("monit", "check process \(name)\n")
      for template in ["ctl", "check", "run"] { try add("templates/\(template)", "#!/bin/bash\n# \(template)\n") }
      _ = try archive.finish()
      let blob = try await world.blobs.put(file: path)
      records.append(
        JobRecord(
          name: name, fingerprint: "fp-\(name)-\(version)", blobID: blob.id, digest: "\(blob.digest)",
          spec: JSON.text(spec)))
    }
    var packages: [PackageRecord] = []
    for (name, dependencies) in [("tools", []), ("lib", []), ("db", ["lib"]), ("web", ["lib", "tools"])] {
      let blob = try await world.blobs.put(bytes: Array(name.utf8))
      packages.append(
        PackageRecord(
          name: name, fingerprint: "fp-\(name)", blobID: blob.id, digest: "\(blob.digest)", dependencies: dependencies))
    }
    return ReleaseRecord(
      name: "data", version: version, commitHash: "c", uncommittedChanges: false, jobs: records, packages: packages)
  }
}
