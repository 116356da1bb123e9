import Director
import Documents
import Formats
import HTTPTypes
import Hummingbird
import NIOCore

/// `/tasks` and `/task` (reference/director.md A.2).
struct TaskRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/tasks") { request, _ in try await list(request) }
    router.get("/tasks/:id") { _, context in
      Response.json(Self.value(try await director.tasks.task(try Self.id(context))))
    }
    router.get("/tasks/:id/output") { request, context in try await output(request, try Self.id(context)) }
    router.delete("/task/:id") { _, context in
      try await director.tasks.cancel(try Self.id(context))
      return Response.noContent
    }
    router.post("/tasks/cancel") { request, _ in try await cancelMany(request) }
  }

  private static func id(_ context: DirectorRequestContext) throws -> Int {
    let text = try context.parameters.require("id")
    guard let id = Int(text) else { throw DirectorFailure.taskNotFound(text) }
    return id
  }

  /// Types that a listing shows unless it is asked for all of them.
  private static let shownTypes: Set<String> = [
    "attach_disk", "delete_deployment", "delete_release", "delete_stemcell", "run_errand", "update_deployment",
    "update_release", "update_stemcell", "export_release", "update_instance",
  ]

  private func list(_ request: Request) async throws -> Response {
    let states = try request.query("state").map { text in
      try Set(
        text.split(separator: ",").map { name in
          guard let state = TaskRecord.State(rawValue: String(name)) else {
            let allowed = TaskRecord.State.allCases.map(\.rawValue).joined(separator: ", ")
            throw DroverError(.invalid, "query parameter 'state': unknown state '\(name)'; allowed: \(allowed)")
          }
          return state
        })
    }
    let showsAll = (try request.number("verbose") ?? 1) > 1
    let deployment = request.query("deployment")
    let contextID = request.query("context_id")
    let tasks = try await director.tasks.tasks(in: states, limit: try request.number("limit")) { task in
      (showsAll || Self.shownTypes.contains(task.type))
        && (deployment == nil || task.deployment == deployment) && (contextID == nil || task.contextID == contextID)
    }
    return Response.json(.array(tasks.map(Self.value)))
  }

  static func value(_ task: TaskRecord) -> Value {
    [
      "id": .int(task.id), "state": .string(task.state.rawValue), "description": .string(task.description),
      "timestamp": Value(task.finishedAt), "started_at": Value(task.startedAt), "result": Value(task.result),
      "user": .string(task.user), "deployment": Value(task.deployment), "context_id": .string(task.contextID),
      "parent": Value(task.parent), "cause": causeValue(task),
    ]
  }

  /// What started a task that nobody asked for; null for others.
  static func causeValue(_ task: TaskRecord) -> Value {
    guard let cause = task.cause else { return .null }
    return [
      "kind": .string(cause.kind.rawValue), "name": .string(cause.name), "point": Value(cause.point),
      "tick": Value(cause.tick), "text": .string(cause.text(parent: task.parent)),
    ]
  }

  private func cancelMany(_ request: Request) async throws -> Response {
    let fields = try await request.bodyFields()
    let states = try fields.strings("states")
    let types = try fields.strings("types")
    let deployment = try fields.optionalString("deployment")
    let wanted = Set((states.isEmpty ? ["queued"] : states).compactMap(TaskRecord.State.init))
    let tasks = try await director.tasks.tasks(in: wanted) { task in
      (types.isEmpty || types.contains(task.type)) && (deployment == nil || task.deployment == deployment)
    }
    for task in tasks { try await director.tasks.cancel(task.id) }
    return Response.noContent
  }

  /// Whether a task had ended before its output was looked at: then what is told of it is all there will be.
  static let ended = "Drover-Task-Ended"

  /// The output of a kind, whole or a range of it. `wait=SECONDS`, an extension of ours, holds the answer back until there is
  /// something new or the task has ended, and with `pace=MILLISECONDS` so long at least, unless the task ends.
  private func output(_ request: Request, _ id: Int) async throws -> Response {
    let name = request.query("type") ?? "debug"
    guard let kind = TaskOutput.Kind(rawValue: name) else {
      let allowed = TaskOutput.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw DroverError(.invalid, "query parameter 'type': unknown type '\(name)'; allowed: \(allowed)")
    }
    var hasEnded = try await director.tasks.hasEnded(id)
    let range = ByteRange(request.headers[.range])
    if !hasEnded, let wait = try request.number("wait"), wait > 0 {
      let pace = Duration.milliseconds(min(try request.number("pace") ?? 0, 1000))
      await director.tasks.waitForOutput(
        of: id, kind, beyond: range?.start ?? 0, atMost: .seconds(min(wait, 30)), pace: pace)
      hasEnded = try await director.tasks.hasEnded(id)
    }
    let size = try await director.journals.size(TaskOutput.journal(task: id, kind)) ?? 0
    var headers: HTTPFields = [.contentType: "text/plain"]
    if let name = HTTPField.Name(Self.ended) { headers[name] = String(hasEnded) }
    guard let range else { return Response(status: .ok, headers: headers, body: body(of: id, kind, from: 0, to: size)) }
    guard let part = range.within(size) else {
      headers[.contentRange] = "bytes */\(size)"
      return Response(status: .rangeNotSatisfiable, headers: headers)
    }
    headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)"
    return Response(
      status: .partialContent, headers: headers, body: body(of: id, kind, from: part.lowerBound, to: part.upperBound))
  }

  private func body(of id: Int, _ kind: TaskOutput.Kind, from start: Int64, to end: Int64) -> ResponseBody {
    let journals = director.journals
    return ResponseBody(contentLength: Int(end - start)) { writer in
      var offset = start
      while offset < end {
        let bytes = try await journals.read(
          TaskOutput.journal(task: id, kind), from: offset, limit: Int(min(end - offset, 1 << 18)))
        guard !bytes.isEmpty else { break }
        try await writer.write(ByteBuffer(bytes: bytes))
        offset += Int64(bytes.count)
      }
      try await writer.finish(nil)
    }
  }
}
