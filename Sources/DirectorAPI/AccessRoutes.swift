import Director
import Formats
import HTTPTypes
import Hummingbird

/// `ssh`, `logs`, and the states of instances, below `/deployments/NAME` (reference/director.md A.5, A.7).
struct AccessRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.post("/deployments/:name/ssh") { request, context in
      let order = try SSHOrder(
        deployment: try context.named("name"), try await request.bodyFields())
      return Response.task(try await director.ssh(order, user: context.userName))
    }
    for path in ["/deployments/:name/jobs/:group/:id/logs", "/deployments/:name/instance_groups/:group/:id/logs"] {
      router.get(RouterPath(path)) { request, context in
        let target = try target(context)
        return Response.task(
          try await director.fetchLogs(
            AccessTarget(group: target.group, ids: target.id.map { [$0] } ?? []),
            in: try context.named("name"), types: request.query("type") ?? "job",
            filters: request.query("filters") ?? "", user: context.userName))
      }
    }
    for path in ["/deployments/:name/jobs/:group", "/deployments/:name/jobs/:group/:id"] {
      router.put(RouterPath(path)) { request, context in try await change(request, context) }
    }
    router.post("/deployments/:name/instance_groups/:group/:id/actions/:action") { request, context in
      try await act(request, context)
    }
  }

  /// `*` stands for all.
  private func target(_ context: DirectorRequestContext) throws -> InstanceSelector {
    func name(_ parameter: String) -> String? {
      context.parameters.get(parameter).flatMap { $0 == "*" ? nil : $0 }
    }
    return InstanceSelector(group: name("group"), id: name("id"))
  }

  /// All of a deployment, a group or an instance; the whole deployment converges.
  private func change(_ request: Request, _ context: DirectorRequestContext) async throws -> Response {
    let word = request.query("state") ?? ""
    guard let action = StateChange.Action(rawValue: word) else {
      throw DroverError(
        .invalid,
        "query parameter 'state': expected started, stopped, detached, restart or recreate, found '\(word)'")
    }
    return try await start(try order(action, request, context), context)
  }

  /// One instance and nothing else.
  private func act(_ request: Request, _ context: DirectorRequestContext) async throws -> Response {
    let action: StateChange.Action
    switch try context.parameters.require("action") {
    case "start": action = .started
    case "stop": action = request.flag("hard") ? .detached : .stopped
    case "restart": action = .restart
    case "recreate": action = .recreate
    case let other:
      throw DroverError(
        .invalid, "action '\(other.prefix(40))': expected start, stop, restart or recreate")
    }
    var order = try order(action, request, context)
    order.isAlone = true
    order.fix = order.fix || request.flag("ignore_unresponsive_agent")
    return try await start(order, context)
  }

  private func order(
    _ action: StateChange.Action, _ request: Request, _ context: DirectorRequestContext
  ) throws -> Director.StateOrder {
    guard request.query("recreate_vms_created_before") == nil else {
      throw DroverError(.invalid, "recreating VMs by their age (--vms-created-before) is not there yet")
    }
    var order = Director.StateOrder(StateChange(target: try target(context), action: action))
    order.fix = request.flag("fix")
    order.skipDrain = request.flag("skip_drain")
    order.dryRun = request.flag("dry_run")
    order.canaries = request.query("canaries")
    order.maxInFlight = request.query("max_in_flight")
    return order
  }

  private func start(_ order: Director.StateOrder, _ context: DirectorRequestContext) async throws -> Response {
    let name = try context.named("name")
    return Response.task(try await director.changeState(of: name, order, user: context.userName))
  }
}
