import Formats
import Glibc
import Logging
import Surroundings
import Templates
import Testing

/// Whether this machine lets the tests make sandboxes.
let canSandbox = geteuid() == 0

/// Runs `body` with a renderer that is shut down afterwards.
func withRenderer<Result>(
  _ configuration: RendererConfiguration = RendererConfiguration(), _ body: (RubyRenderer) async throws -> Result
) async throws -> Result {
  let renderer = RubyRenderer(
    configuration: configuration, surroundings: .system, logger: Logger(label: "templates-tests"))
  do {
    let result = try await body(renderer)
    await renderer.shutdown()
    return result
  } catch {
    await renderer.shutdown()
    throw error
  }
}

/// A job with one template and the given spec.
func job(
  _ template: String, properties: Value = [:], links: Value = [:], spec more: ValueObject = [:], name: String = "job"
) -> JobRenderRequest {
  var spec: ValueObject = [
    "deployment": "dep", "name": "group", "index": 0, "id": "some-id", "az": "z1", "bootstrap": true,
    "address": "10.0.0.5", "ip": "10.0.0.5", "job": ["name": .string("group")],
    "networks": ["default": ["ip": "10.0.0.5", "netmask": "255.255.255.0"]],
    "release": ["name": "rel", "version": "1.2"], "properties": properties, "links": links,
  ]
  spec = spec.merging(more)
  return JobRenderRequest(
    jobName: name, monit: Array("check".utf8),
    templates: [JobTemplate(source: "t.erb", destination: "t", content: Array(template.utf8))],
    spec: .object(spec))
}

extension TemplateRenderer {
  /// The text that the only template of a job becomes.
  func text(_ job: JobRenderRequest) async throws -> String {
    let rendered = try await render(GroupRenderRequest(instanceGroup: "group", jobs: [job]))
    return String(decoding: rendered[0].files[0].content, as: UTF8.self)
  }

  /// The message of the error that the only template of a job ends with.
  func failure(_ job: JobRenderRequest) async throws -> String {
    do {
      return "no error, but: \(try await text(job).prefix(200))"
    } catch let failure as TemplateFailure {
      return failure.jobs.flatMap(\.errors).map(\.message).joined(separator: "\n")
    }
  }
}
