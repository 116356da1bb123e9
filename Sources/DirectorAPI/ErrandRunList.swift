import Director
import Formats
import Hummingbird

extension DeploymentRoutes {
  /// `GET /errand_runs?deployment=&errand=&limit=`, an extension of ours: runs, the last one first.
  func errandRuns(_ request: Request) async throws -> Response {
    let limit = try request.number("limit") ?? 30
    guard limit > 0 else { throw DroverError(.invalid, "query parameter 'limit': expected a positive number") }
    let runs = try await director.errandRuns(
      deployment: request.query("deployment"), errand: request.query("errand"), limit: limit)
    return Response.json(.array(runs.map(Self.value)))
  }

  private static func value(_ run: ErrandRunSummary) -> Value {
    let environment = run.environment.sorted { $0.key < $1.key }.map { ($0.key, Value.string($0.value)) }
    return [
      "task": .int(run.task.id), "errand": .string(run.errand), "deployment": Value(run.task.deployment),
      "state": .string(run.task.state.rawValue), "exit_code": Value(run.exitCode),
      "started_at": Value(run.task.startedAt), "finished_at": Value(run.task.finishedAt),
      "user": .string(run.task.user), "arguments": Value(run.arguments),
      "environment": .object(ValueObject(environment)), "outcomes": .array(run.outcomes),
      "result": Value(run.task.result), "parent": Value(run.task.parent), "cause": TaskRoutes.causeValue(run.task),
    ]
  }
}
