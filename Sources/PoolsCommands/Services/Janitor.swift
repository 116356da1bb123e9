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

  public init(
    _ access: any PoolsAccess, types: TypeSource, settings: Settings, worker: any PoolWorker = CommandWorker(),
    logger: Logger
  ) {
    self.access = access
    self.types = types
    self.settings = settings
    self.logger = logger
    work = HeldWork(access: access, worker: worker, logger: logger)
    turns = Turns(width: settings.poolSize)
  }

  /// Round after round, until the task is cancelled.
  ///
  /// - Parameter pause: between a round and the next.
  public func run(pause: Duration = .seconds(60)) async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        await round(in: &group)
        do { try await access.surroundings.sleep(pause) } catch { break }
      }
      group.cancelAll()
    }
  }

  /// Cleans what is dirty, one resource of each type in turn, until no type has any.
  public func round() async { await withDiscardingTaskGroup { await round(in: &$0) } }

  private func round(in group: inout DiscardingTaskGroup) async {
    let configuration = await types.configuration(logger)
    let policies = configuration.policies
    var programs: [String: ServiceProgram] = [:]
    for type in types.types(of: configuration) {
      programs[type] = settings.programs[type] ?? policies[type]?.janitor ?? settings.program
    }
    let chosen = programs
    await turns.round(chosen.keys.sorted(), in: &group) { type in
      do {
        return try await access.acquireIfAny(type: type, from: ResourceState.dirty, to: ResourceState.cleaning)
      } catch {
        logger.warning("acquiring failed", metadata: ["type": "\(type)", "error": "\(error)"])
        return nil
      }
    } work: { resource in
      if let program = chosen[resource.type] { await clean(resource, program) }
      return true
    }
  }

  /// Cleans one and hands it back: free, dirty when it failed, aside when it failed too often.
  func clean(_ resource: PooledResource, _ program: ServiceProgram) async {
    var state = ResourceState.dirty
    do {
      let heartbeat = program.heartbeat ?? settings.updateFrequency
      let result = try await work.beating(Held([resource]), every: heartbeat) {
        await work.perform(PoolWork(kind: .clean, resource: resource, program: program))
      }
      if let result {
        state = result.succeeded ? ResourceState.free : work.destination(afterFailure: resource, program)
      }
    } catch {
      logger.error("cleaning failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
    await work.handBack([(resource, state)])
  }
}
