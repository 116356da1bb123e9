import Archives
import Blobs
import Digests
import Formats
import Glibc
import Releases
import Surroundings
import Templates

/// Renders the jobs of instances: the digests that planning compares, and the archive that an agent gets.
struct InstanceRenderer: Sendable {
  let director: Director
  let resolved: ResolvedDeployment
  /// What templates see as `spec.leases`; nil for nothing.
  var leases: Value?

  /// The jobs of one instance, rendered.
  func render(_ instance: ResolvedInstance) async throws -> [RenderedJob] {
    guard let group = resolved.group(instance.group) else { return [] }
    var jobs: [JobRenderRequest] = []
    for job in group.jobs {
      let files = try await director.templates.files(of: job.record)
      let templates = try job.spec.templates.map { template in
        guard let content = files.templates[template.source] else {
          throw DroverError(
            .invalid, "job '\(job.name)' of release '\(job.release)' has no template '\(template.source)'")
        }
        return JobTemplate(source: template.source, destination: template.destination, content: content)
      }
      jobs.append(
        JobRenderRequest(
          jobName: job.name, monit: files.monit, templates: templates,
          spec: spec(of: job, on: instance), providedLinks: job.providedLinks))
    }
    return try await director.engines.renderer.render(
      GroupRenderRequest(instanceGroup: instance.group, jobs: jobs))
  }

  private func spec(of job: ResolvedJob, on instance: ResolvedInstance) -> Value {
    let spec = resolved.templateSpec(of: job, on: instance)
    guard let leases, var object = spec.object else { return spec }
    object["leases"] = leases
    return .object(object)
  }

  /// Renders several instances. The errors of all are reported together, those of a group once.
  func render(_ instances: [ResolvedInstance]) async throws -> [String: [RenderedJob]] {
    let results = try await inParallel(instances, atMost: 8) { instance in
      do {
        return (instance.id, Result<[RenderedJob], TemplateFailure>.success(try await render(instance)))
      } catch let failure as TemplateFailure {
        return (instance.id, .failure(failure))
      }
    }
    var rendered: [String: [RenderedJob]] = [:]
    var failures: [TemplateFailure] = []
    for (id, result) in results {
      switch result {
      case .success(let jobs): rendered[id] = jobs
      case .failure(let failure): if !failures.contains(failure) { failures.append(failure) }
      }
    }
    guard failures.isEmpty else { throw DirectorFailure(80000, TemplateFailure.report(failures)) }
    return rendered
  }

  /// What planning compares.
  static func digests(of jobs: [RenderedJob]) -> RenderedInstance {
    var hashes: [String: String] = [:]
    for job in jobs {
      var hasher = DigestHasher([.sha256])
      hasher.update(job.monit)
      for file in job.files.sorted(by: { $0.destination < $1.destination }) {
        hasher.update(Array("\u{0}\(file.destination)\u{0}\(file.content.count)\u{0}".utf8))
        hasher.update(file.content)
      }
      hashes[job.jobName] = "\(hasher.finish())"
    }
    let all = hashes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
    return RenderedInstance(configurationHash: DigestHasher.hex(.sha256, all), templateHashes: hashes)
  }

  /// Stores the archive with the rendered files of an instance (reference/director.md B.8) under that id.
  func store(_ jobs: [RenderedJob], of instance: ResolvedInstance, id: String) async throws -> StoredBlob {
    let path = "\(director.engines.workDirectory)/rendered-\(director.engines.surroundings.identifier()).tgz"
    defer { unlink(path) }
    let archive = try ArchiveWriter(file: path, compression: .gzip(level: 1))
    func add(_ path: String, _ content: [UInt8]) throws {
      try archive.add(
        ArchiveEntry(path: path, kind: .file, size: content.count, mode: 0o644, modifiedAt: 0), content: content)
    }
    let errands = Set((resolved.group(instance.group)?.jobs ?? []).filter { $0.kind == .errand }.map(\.name))
    for job in jobs {
      if !errands.contains(job.jobName) { try add("\(job.jobName)/monit", job.monit) }
      for file in job.files { try add("\(job.jobName)/\(file.destination)", file.content) }
      try add("\(job.jobName)/.bosh/links.json", job.linksJSON)
    }
    _ = try archive.finish()
    return try await director.engines.blobs.put(file: path, id: id)
  }
}
