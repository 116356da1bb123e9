public import Logging
public import Pools
public import PoolsClient
import PoolsProtocol
import Surroundings

/// Cleans dirty resources and frees them (reference/boskos.md 9).
///
/// Types take turns, so that one with many dirty resources does not starve the others. A resource whose clean-up fails
/// again and again is put aside, if that is wanted; what its clean-ups said is in the log, and with the server where it
/// keeps that.
public struct Janitor: Sendable {
  public struct Settings: Sendable {
    /// How many clean-ups run beside each other.
    public var poolSize: Int
    /// How often the server is told that a resource is still being cleaned.
    public var updateFrequency: Duration
    /// Cleans types whose configuration has no janitor; nil leaves them to others.
    public var program: ServiceProgram?
    /// Programs for types that have one of their own here.
    public var programs: [String: ServiceProgram]

    public init(
      poolSize: Int = 20, updateFrequency: Duration = .seconds(300), program: ServiceProgram? = nil,
      programs: [String: ServiceProgram] = [:]
    ) {
      self.poolSize = poolSize
      self.updateFrequency = updateFrequency
      self.program = program
      self.programs = programs
    }
  }

  private let access: any PoolsAccess
  private let types: TypeSource
  private let settings: Settings
  private let work: HeldWork
  private let turns: Turns
  private let logger: Logger

  /// - Parameter holders: in whose names it leases, for a worker whose work lasts; nil leases as `access` does.
  public init(
    _ access: any PoolsAccess, holders: LocalHolders? = nil, types: TypeSource, settings: Settings,
    worker: any PoolWorker = CommandWorker(), logger: Logger
  ) {
    self.access = access
    self.types = types
    self.settings = settings
    self.logger = logger
    work = HeldWork(access: access, holders: holders, worker: worker, logger: logger)
    turns = Turns(width: settings.poolSize)
  }

  /// Goes on with what an earlier server has left, and then round after round, until the task is cancelled.
  ///
  /// - Parameter pause: between a round and the next.
  public func run(pause: Duration = .seconds(60)) async {
    await withDiscardingTaskGroup { group in
      await takeUp(in: &group)
      while !Task.isCancelled {
        await round(in: &group)
        do { try await access.surroundings.sleep(pause) } catch { break }
      }
      group.cancelAll()
    }
  }

  /// Cleans what is dirty, one resource of each type in turn, until no type has any.
  public func round() async { await withDiscardingTaskGroup { await round(in: &$0) } }

  /// Who cleans which type.
  private func programs() async -> [String: ServiceProgram] {
    let configuration = await types.configuration(logger)
    let policies = configuration.policies
    var programs: [String: ServiceProgram] = [:]
    for type in types.types(of: configuration) {
      let program = settings.programs[type] ?? policies[type]?.janitor ?? settings.program
      guard var program, work.serves(type, program) else { continue }
      let expiry = policies[type]?.reaping?.expiry(ResourceState.cleaning)
      program.heartbeat = program.heartbeat ?? work.heartbeat(settings.updateFrequency, [expiry])
      programs[type] = program
    }
    return programs
  }

  private func takeUp(in group: inout DiscardingTaskGroup) async {
    let left = await work.left(in: &group)
    guard !left.isEmpty else { return }
    let programs = await programs()
    for resource in left.joined() {
      logger.info("going on with what was begun", metadata: ["type": "\(resource.type)", "name": "\(resource.name)"])
      turns.takeUp(in: &group) {
        if let program = programs[resource.type] { return await clean(resource, program) }
        // Nobody is to clean its type any more.
        guard await work.abandon(resource.owner) else { return }
        await work.holding(resource).handBack([(resource, ResourceState.dirty)])
      }
    }
  }

  private func round(in group: inout DiscardingTaskGroup) async {
    let chosen = await programs()
    await turns.round(chosen.keys.sorted(), in: &group) { type in
      await work.take(type, chosen[type])
    } work: { resource in
      if let program = chosen[resource.type] { await clean(resource, program) }
      return true
    }
  }

  /// Cleans one and hands it back: free, dirty when it failed, aside when it failed too often.
  func clean(_ resource: PooledResource, _ program: ServiceProgram) async {
    let work = work.holding(resource)
    var state = ResourceState.dirty
    do {
      let result = try await work.beating(Held([resource]), every: program.heartbeat ?? settings.updateFrequency) {
        await work.perform(PoolWork(kind: .clean, resource: resource, program: program))
      }
      if let result {
        state = result.succeeded ? ResourceState.free : work.destination(afterFailure: resource, program)
      } else if work.isLeft {
        return
      }
    } catch {
      logger.error("cleaning failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
      guard await work.abandon(resource.owner) else { return }
    }
    await work.handBack([(resource, state)])
  }
}
