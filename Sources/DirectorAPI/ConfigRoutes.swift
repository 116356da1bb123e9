import Director
import Formats
import HTTPTypes
import Hummingbird

/// `/configs` and the older `/cloud_configs` and their like (reference/director.md A.9).
struct ConfigRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/configs") { request, _ in
      let configs = try await director.configs(
        type: request.query("type"), name: request.query("name"), latestOnly: request.query("latest") != "false",
        limit: try request.number("limit"))
      return Response.json(.array(try await configs.asyncMap { try await value($0) }))
    }
    router.get("/configs/:id") { _, context in
      let text = try context.parameters.require("id")
      guard let id = Int(text) else { throw DirectorFailure.configNotFound("Config \(text) not found") }
      return Response.json(try await value(director.config(id: id)))
    }
    router.post("/configs") { request, _ in try await update(request) }
    router.post("/configs/diff") { request, _ in try await diff(request) }
    router.delete("/configs") { request, _ in
      guard let type = request.query("type"), let name = request.query("name") else {
        throw DroverError(.invalid, "DELETE /configs: expected the query parameters 'type' and 'name'")
      }
      return try await director.deleteConfig(type: type, name: name)
        ? Response.noContent : Response(status: .notFound)
    }
    router.delete("/configs/:id") { _, context in
      let text = try context.parameters.require("id")
      guard let id = Int(text) else { throw DirectorFailure.configNotFound("Config \(text) not found") }
      let config = try await director.config(id: id)
      return try await director.deleteConfig(type: config.type, name: config.name)
        ? Response.noContent : Response(status: .notFound)
    }
    for type in ["cloud", "runtime", "cpi"] { addOlderForms(to: router, type) }
  }

  private func addOlderForms(to router: Router<DirectorRequestContext>, _ type: String) {
    let path = RouterPath("/\(type)_configs")
    router.get(path) { request, _ in
      let configs = try await director.configs(
        type: type, name: request.query("name") ?? "default", latestOnly: false,
        limit: try request.number("limit") ?? 1)
      return Response.json(
        Value.array(
          configs.map { ["properties": .string($0.content), "created_at": .string($0.createdAtText)] }))
    }
    router.post(path) { request, _ in
      _ = try await director.updateConfig(
        type: type, name: request.query("name") ?? "default", content: try await request.bodyText())
      return Response(status: .created)
    }
    router.post("/\(type)_configs/diff") { request, _ in
      let name = request.query("name") ?? "default"
      let old = try await director.configs(type: type, name: name, latestOnly: true).first
      return Response.json(
        ["diff": try director.configDifference(from: old?.content, to: try await request.bodyText())])
    }
  }

  private func value(_ config: ConfigRecord) async throws -> Value {
    let latest = try await director.configs(type: config.type, name: config.name, latestOnly: true).first
    return [
      "id": .string(String(config.id)), "type": .string(config.type), "name": .string(config.name),
      "content": .string(config.content), "created_at": .string(config.createdAtText), "team": nil,
      "current": .bool(latest?.id == config.id),
    ]
  }

  private func update(_ request: Request) async throws -> Response {
    let fields = try await request.bodyFields()
    do {
      let config = try await director.updateConfig(
        type: try fields.string("type"), name: try fields.string("name"), content: try fields.string("content"),
        expectedLatestID: try fields.optionalScalarText("expected_latest_id").flatMap { Int($0) })
      return Response.json(try await value(config), .created)
    } catch let outdated as ConfigOutdated {
      return Response.json(
        [
          "latest_id": .string(String(outdated.latestID)), "expected_latest_id": .string(String(outdated.expectedID)),
          "description": "Config was updated by somebody else meanwhile",
        ], .preconditionFailed)
    }
  }

  /// Either a new content against the current one, or two sides by id or content.
  private func diff(_ request: Request) async throws -> Response {
    let fields = try await request.bodyFields()
    if let from = try fields.optionalReader("from") {
      let to = try fields.reader("to")
      return Response.json(["diff": try await director.configDifference(from: side(from), to: side(to) ?? "")])
    }
    let old = try await director.configs(
      type: try fields.string("type"), name: try fields.string("name"), latestOnly: true
    ).first
    return Response.json([
      "diff": try director.configDifference(from: old?.content, to: try fields.string("content")),
      "from": ["id": .string(String(old?.id ?? 0))],
    ])
  }

  private func side(_ fields: FieldReader) async throws -> String? {
    if let content = try fields.optionalString("content"), !content.isEmpty { return content }
    guard let text = try fields.optionalScalarText("id"), !text.isEmpty else { return nil }
    guard let id = Int(text) else { throw DirectorFailure.configNotFound("Config with ID '\(text)' not found.") }
    return try await director.config(id: id).content
  }
}
