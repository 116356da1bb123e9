import AgentProtocol
import Archives
import Digests
import Files
import Formats
import Processes

@testable import Agent

/// Jobs and packages for a test, as blobs and as a spec.
struct TestRelease {
  /// The files of jobs, by job and path.
  var jobs: [(name: String, files: [String: String])] = []
  /// The files of packages, by package and path.
  var packages: [(name: String, files: [String: String])] = []
  var version = "1"
  /// Names of those jobs that are errands.
  var errands: Set<String> = []

  /// Puts the blobs into the agent's blobstore and returns the spec that names them.
  func spec(for agent: TestAgent) throws -> ApplySpec {
    var spec = ApplySpec(deployment: "dep", name: "group", id: "inst-1", index: 0, az: "z1")
    spec.job = ApplySpec.Job(
      name: "group", template: jobs.first?.name ?? "",
      templates: jobs.map { ApplySpec.Template(name: $0.name, version: version, isErrand: errands.contains($0.name)) })
    spec.networks = ["default": ["ip": "10.0.0.9"]]
    spec.configurationHash = "hash-\(version)"
    let files = jobs.flatMap { job in job.files.map { ("\(job.name)/\($0.key)", $0.value) } }
    let archive = try Self.blob(Dictionary(uniqueKeysWithValues: files), "rendered-\(version)", agent)
    spec.renderedTemplatesArchive = .init(sha1: archive, blobstoreID: "rendered-\(version)")
    spec.packages = try packages.map { package in
      let id = "package-\(package.name)-\(version)"
      return ApplySpec.Package(
        name: package.name, version: version, sha1: try Self.blob(package.files, id, agent), blobstoreID: id)
    }
    return spec
  }

  /// Packs files into a blob of the agent's blobstore; scripts are executable. Returns the digest.
  @discardableResult
  static func blob(
    _ files: [String: String], _ id: String, _ agent: TestAgent,
    compression: ArchiveWriter.Compression = .gzip(level: 1)
  ) throws -> String {
    try blob(files, id, folder: agent.folder, compression: compression)
  }

  @discardableResult
  static func blob(
    _ files: [String: String], _ id: String, folder: String,
    compression: ArchiveWriter.Compression = .gzip(level: 1)
  ) throws -> String {
    let source = "\(folder)/packing"
    try Files.remove(source)
    try Files.makeFolder(source)
    for (path, text) in files {
      let place = "\(source)/\(path)"
      try Files.makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]))
      try Files.replace(place, with: Array(text.utf8), mode: text.hasPrefix("#!") ? 0o755 : 0o644)
    }
    let options = Archives.PackOptions(compression: compression)
    return try Archives.pack(source, to: "\(folder)/blobstore/\(id)", options: options).digest.description
  }

  /// A service that runs until it is stopped, with its control file and scripts.
  static func service(_ name: String, base: String, extra: [String: String] = [:]) -> (
    name: String, files: [String: String]
  ) {
    let pidfile = "\(base)/sys/run/\(name)/\(name).pid"
    let control = """
      check process \(name)
        with pidfile \(pidfile)
        start program "\(base)/jobs/\(name)/bin/ctl start"
        stop program "\(base)/jobs/\(name)/bin/ctl stop"
        group vcap

      """
    let ctl = """
      #!/bin/bash
      case $1 in
        start) setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! > \(pidfile) ;;
        stop) kill $(cat \(pidfile)); rm -f \(pidfile) ;;
      esac

      """
    return (name, extra.merging(["monit": control, "bin/ctl": ctl]) { first, _ in first })
  }
}
