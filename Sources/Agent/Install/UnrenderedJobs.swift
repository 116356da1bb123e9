import AgentProtocol
import Digests
import Files
import Formats
import Logging
import Processes
import Surroundings
import Templates

/// Installs jobs whose templates come as they are, with the properties in the spec (slides 23 to 37): renders them with
/// the server's own Templates room, where the stemcell has Ruby (design D5).
struct UnrenderedJobs: Sendable {
  let layout: VMLayout
  let ownership: Ownership
  let installer: BundleInstaller
  let blobs: AgentBlobs
  let renderer: RendererConfiguration
  let surroundings: Surroundings
  let logger: Logger

  /// Where the jobs go: the same templates with other properties are another installation.
  static func bundles(_ spec: ApplySpec) throws -> [Bundle] {
    let context = DigestHasher.hex(.sha256, TemplateContext(spec).identity)
    return try spec.jobs.map { job in
      try Bundle(Bundle.Kind(job), name: job.name, version: job.version, digest: "\(job.sha1 ?? "")-\(context)")
    }
  }

  /// Renders and installs those that are not there. Nothing is installed unless all of them can be rendered.
  func install(_ spec: ApplySpec) async throws {
    let missing = try zip(spec.jobs, Self.bundles(spec)).filter { try !installer.isInstalled($0.1) }
    if missing.isEmpty { return }
    guard try Files.exists(renderer.ruby) else {
      throw DroverError(
        .unsupported,
        "the spec's jobs come with templates that are not rendered, and this stemcell has no Ruby (\(renderer.ruby)) to "
          + "render them; use a stemcell that has, or a director that sends rendered jobs")
    }
    var requests: [JobRenderRequest] = []
    for (job, _) in missing {
      do {
        requests.append(try await request(job, spec))
      } catch {
        throw DroverError(BundleInstaller.code(error), "installing job \(job.name)", cause: error)
      }
    }
    let rendered = try await render(GroupRenderRequest(instanceGroup: TemplateContext(spec).group, jobs: requests))
    for (files, (_, bundle)) in zip(rendered, missing) {
      try await blocking {
        try installer.make(bundle) { folder in
          try write(files, folder)
          try JobModes.apply(folder, bundle.kind, ownership)
        }
      }
    }
  }

  private func request(_ job: ApplySpec.Template, _ spec: ApplySpec) async throws -> JobRenderRequest {
    let source = AgentBlobs.Source(blobstoreID: job.blobstoreID ?? "")
    let archive = try await blobs.fetch(source, digest: job.sha1 ?? "")
    defer { try? Files.remove(archive) }
    return try await blocking { try UnrenderedJob(archive: archive).request(spec, as: job.name) }
  }

  /// Ruby runs only as long as it is needed.
  private func render(_ request: GroupRenderRequest) async throws -> [RenderedJob] {
    let ruby = RubyRenderer(configuration: renderer, surroundings: surroundings, logger: logger)
    do {
      let rendered = try await ruby.render(request)
      await ruby.shutdown()
      return rendered
    } catch {
      await ruby.shutdown()
      throw DroverError(BundleInstaller.code(error), "rendering the templates of jobs on this VM", cause: error)
    }
  }

  private func write(_ job: RenderedJob, _ folder: String) throws {
    let files =
      [("monit", job.monit), (".bosh/links.json", job.linksJSON)] + job.files.map { ($0.destination, $0.content) }
    for (path, content) in files {
      let place = "\(folder)/\(path)"
      try Files.makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]), mode: 0o750)
      try Files.replace(place, with: content, mode: 0o640)
    }
  }
}
