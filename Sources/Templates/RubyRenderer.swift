import Formats
public import Logging
public import Surroundings

/// Renders templates with Ruby, each job in a sandbox of its own (`docs/decisions/templates-sandbox.md`).
///
/// The Ruby processes are started when the first job comes, and again when one has died.
public actor RubyRenderer: TemplateRenderer {
  /// How long a worker may take to start, and to end a job whose time is up, until it counts as stuck.
  private static let patience = Duration.seconds(10)

  private let configuration: RendererConfiguration
  private let surroundings: Surroundings
  private let logger: Logger
  private let places: Places
  private var workers: [RendererWorker?]
  private var nextWorker = 0
  private var users: Set<UInt32> = []
  private var isShutDown = false

  public init(
    configuration: RendererConfiguration = RendererConfiguration(), surroundings: Surroundings, logger: Logger
  ) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.logger = logger
    places = Places(max(1, configuration.concurrency))
    workers = Array(repeating: nil, count: max(1, configuration.workers))
  }

  public func render(_ request: GroupRenderRequest) async throws -> [RenderedJob] {
    let results = try await withThrowingTaskGroup(of: (Int, JobResult).self) { group in
      for (place, job) in request.jobs.enumerated() {
        group.addTask { (place, try await self.render(job)) }
      }
      var results: [(place: Int, result: JobResult)] = []
      for try await result in group { results.append(result) }
      return results.sorted { $0.place < $1.place }.map(\.result)
    }
    var rendered: [RenderedJob] = []
    var failures: [JobFailure] = []
    for result in results {
      switch result {
      case .rendered(let job): rendered.append(job)
      case .failed(let failure): failures.append(failure)
      }
    }
    guard failures.isEmpty else { throw TemplateFailure(instanceGroup: request.instanceGroup, jobs: failures) }
    return rendered
  }

  /// Ends all Ruby processes and waits until they are gone. Jobs that are being rendered fail; later ones are refused.
  public func shutdown() async {
    isShutDown = true
    let running = workers.compactMap(\.self)
    workers = workers.map { _ in nil }
    for worker in running { worker.stop() }
    for worker in running { await worker.ended() }
  }

  /// The ids of the Ruby processes, for those who want to measure them.
  public var workerProcesses: [Int] { workers.compactMap { $0?.pid } }

  // MARK: One job

  private func render(_ job: JobRenderRequest) async throws -> JobResult {
    try await places.take()
    do {
      let result = try await renderInPlace(job)
      places.giveBack()
      return result
    } catch {
      places.giveBack()
      throw error
    }
  }

  /// Rendering changes nothing, so a job whose worker died is tried once more.
  private func renderInPlace(_ job: JobRenderRequest) async throws -> JobResult {
    let request = JobFrames.request(job)
    let user = newUser()
    defer { users.remove(user) }
    for attempt in 1...2 {
      let worker = try nextReadyWorker()
      let (reply, end) = try await perform(request, user, worker)
      guard let end else {
        logger.warning(
          "a process for templates died",
          metadata: ["attempt": "\(attempt)", "error": "\(worker.endError, default: "")"])
        continue
      }
      return try JobOutcome(job: job, configuration: configuration)
        .decide(JobFrames.Answer(reply.bytes), tooLarge: reply.tooLarge, end: end)
    }
    throw DroverError(.failed, "rendering the templates of job '\(job.jobName)': the process for templates died twice")
  }

  private func perform(
    _ request: [UInt8], _ user: UInt32, _ worker: RendererWorker
  ) async throws -> (reply: JobSocket.Reply, end: JobEnd?) {
    let (surroundings, limit) = (surroundings, configuration.timeLimit)
    let watch = Task {
      try await surroundings.sleep(limit + Self.patience)
      worker.stop()
    }
    defer { watch.cancel() }
    let limits = RendererWorker.Limits(
      user: user, memory: configuration.memoryLimit, seconds: limit / .seconds(1), output: configuration.outputLimit)
    try await worker.ready()
    return try await worker.perform(request, limits)
  }

  /// A user that no other running job has.
  private func newUser() -> UInt32 {
    while true {
      let offset = surroundings.randomBytes(3).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      if users.insert(configuration.firstUser + offset).inserted { return configuration.firstUser + offset }
    }
  }

  private func nextReadyWorker() throws -> RendererWorker {
    guard !isShutDown else { throw DroverError(.unavailable, "rendering templates: the renderer was shut down") }
    let place = nextWorker
    nextWorker = (nextWorker + 1) % workers.count
    if let worker = workers[place], worker.endError == nil { return worker }
    let plan = try SandboxPlan(configuration, entry: SandboxPlan.entry)
    let worker = RendererWorker(logger: logger)
    workers[place] = worker
    worker.start(plan, ruby: configuration.ruby)
    return worker
  }
}
