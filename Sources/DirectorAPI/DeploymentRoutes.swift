import Director
import Formats
import HTTPTypes
import Hummingbird

/// `/deployments` and what lies below (reference/director.md A.5, A.6).
struct DeploymentRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/deployments") { _, _ in Response.json(try await director.deploymentsListing()) }
    router.get("/deployments/:name") { _, context in
      Response.json(["manifest": .string(try await director.deployment(name(context)).manifest ?? "")])
    }
    router.post("/deployments") { request, context in
      Response.task(
        try await director.deploy(try await order(request), user: context.userName))
    }
    router.post("/deployments/:name/diff") { request, context in
      Response.json(
        try await director.deploymentDifference(
          name(context), manifest: try await request.bodyText(), redact: request.query("redact") != "false"))
    }
    router.delete("/deployments/:name") { request, context in
      Response.task(
        try await director.deleteDeployment(name(context), force: request.flag("force"), user: context.userName))
    }
    router.get("/deployments/:name/vms") { request, context in
      guard request.query("format") == "full" else { return Response.json(try await director.plainVMs(name(context))) }
      return Response.task(try await director.describeInstances(name(context), vmsOnly: true, user: context.userName))
    }
    router.get("/deployments/:name/instances") { request, context in
      guard request.query("format") == "full" else {
        return Response.json(try await director.plainInstances(name(context)))
      }
      return Response.task(try await director.describeInstances(name(context), vmsOnly: false, user: context.userName))
    }
    router.get("/deployments/:name/errands") { _, context in
      Response.json(
        .array(try await director.errands(name(context)).map { ["name": .string($0)] }))
    }
    router.get("/errand_runs") { request, _ in try await errandRuns(request) }
    router.post("/deployments/:name/errands/:errand/runs") { request, context in
      let errand = try context.named("errand")
      let run = try ErrandRun(try await request.bodyFields())
      return Response.task(try await director.runErrand(errand, in: name(context), run, user: context.userName))
    }
    router.get("/deployment_configs") { _, _ in Response.json([]) }
  }

  private func name(_ context: DirectorRequestContext) throws -> String { try context.named("name") }

  private func order(_ request: Request) async throws -> DeployOrder {
    var order = DeployOrder(manifest: try await request.bodyText())
    order.recreate = request.flag("recreate")
    order.fix = request.flag("fix")
    order.dryRun = request.flag("dry_run")
    order.skipDrain = request.query("skip_drain")
    order.canaries = request.query("canaries")
    order.maxInFlight = request.query("max_in_flight")
    if let context = request.query("context") {
      let ids = try FieldReader(JSON.parse(context), at: "query parameter 'context'")
      order.configIDs = try ["cloud_config_ids", "runtime_config_ids"].flatMap {
        try (ids.optionalArray($0) ?? []).compactMap(\.int)
      }
    }
    return order
  }
}
