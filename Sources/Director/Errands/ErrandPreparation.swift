import Formats
import Surroundings
import Templates

/// What the VMs of a run need before they are made, done once for all of them: templates rendered, packages compiled.
actor ErrandPreparation {
  struct Prepared: Sendable {
    let resolved: ResolvedDeployment
    let rendered: [String: [RenderedJob]]
    let packages: [String: CompiledPackageRecord]
  }

  private let director: Director
  private let context: TaskContext
  private let resolved: ResolvedDeployment
  /// What templates see as `spec.leases`.
  private let leases: Value?
  private var task: Task<Prepared, any Error>?

  init(director: Director, context: TaskContext, resolved: ResolvedDeployment, leases: Value?) {
    self.director = director
    self.context = context
    self.resolved = resolved
    self.leases = leases
  }

  /// The first who asks has it done, the others wait for it.
  func result(_ instances: [ResolvedInstance]) async throws -> Prepared {
    let (director, context, resolved, leases) = (director, context, resolved, leases)
    let task =
      task
      ?? context.surroundings.task { () async throws -> Prepared in
        let renderer = InstanceRenderer(director: director, resolved: resolved, leases: leases)
        let preparing = context.stage("Preparing deployment", total: 1)
        let rendered = try await preparing.step("Rendering templates") { _ in try await renderer.render(instances) }
        let compiler = Compiler(director: director, context: context, resolved: resolved)
        try await compiler.run()
        return Prepared(resolved: resolved, rendered: rendered, packages: try await compiler.compiled())
      }
    self.task = task
    // All who wait are of one task, which the server stops as a whole.
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}
