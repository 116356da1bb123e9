import Director
import Formats
import Hummingbird

/// `/schedules` and what is done with one, extensions of ours.
struct ScheduleRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/schedules") { request, _ in
      Response.json(try await director.schedules(deployment: request.query("deployment")))
    }
    router.post("/deployments/:name/schedules/:schedule/pause") { _, context in
      let (deployment, schedule) = try names(context)
      try await director.pauseSchedule(schedule, in: deployment, user: context.userName)
      return Response.noContent
    }
    router.post("/deployments/:name/schedules/:schedule/resume") { _, context in
      let (deployment, schedule) = try names(context)
      try await director.resumeSchedule(schedule, in: deployment)
      return Response.noContent
    }
    router.post("/deployments/:name/schedules/:schedule/runs") { _, context in
      let (deployment, schedule) = try names(context)
      return Response.task(
        try await director.runSchedule(schedule, in: deployment, user: context.userName))
    }
  }

  private func names(_ context: DirectorRequestContext) throws -> (
    deployment: String, schedule: String
  ) {
    (try context.named("name"), try context.named("schedule"))
  }
}
