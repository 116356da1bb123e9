import AgentProtocol
import Archives
import Formats
import Releases
import Templates

/// What the archive of a job holds whose templates are not rendered: `job.MF`, `monit`, `templates/…` (slides 32 to 35).
struct UnrenderedJob: Sendable, Hashable {
  var spec: JobSpec
  var monit: [UInt8] = []
  /// By their paths below `templates/`.
  var templates: [String: [UInt8]] = [:]

  /// The most bytes of one file.
  private static let limit = 64 << 20

  /// - Throws: what is wrong with the archive or with its `job.MF`.
  init(archive path: String) throws {
    var manifest: [UInt8]?
    var monit: [UInt8] = []
    var templates: [String: [UInt8]] = [:]
    let reader = try ArchiveReader(file: path, limits: .small)
    while let entry = try reader.next() {
      guard entry.kind == .file else { continue }
      switch entry.name {
      case "job.MF": manifest = try reader.readAll(atMost: Self.limit)
      case "monit": monit = try reader.readAll(atMost: Self.limit)
      case let name where name.hasPrefix("templates/"):
        templates[String(name.dropFirst("templates/".count))] = try reader.readAll(atMost: Self.limit)
      default: break
      }
    }
    guard let manifest else { throw DroverError(.invalid, "the job's archive has no job.MF") }
    spec = try JobSpec(manifest, file: "job.MF")
    self.monit = monit
    self.templates = templates
  }

  /// What the Templates room is asked.
  func request(_ applied: ApplySpec, as name: String) throws -> JobRenderRequest {
    let files = try spec.templates.map { template in
      guard let content = templates[template.source] else {
        throw DroverError(.invalid, "job.MF names the template '\(template.source)', which the archive does not have")
      }
      return JobTemplate(source: template.source, destination: template.destination, content: content)
    }
    let properties = try spec.effectiveProperties(applied.properties)
    return JobRenderRequest(
      jobName: name, monit: monit, templates: files, spec: TemplateContext(applied).value(properties: properties))
  }
}
