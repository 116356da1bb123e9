import Formats
public import Logging
public import Pools
public import PoolsClient
import PoolsProtocol
import Surroundings

/// Builds dynamic resources from others (reference/boskos.md 11).
///
/// A dirty resource is taken, what it was built from before is handed back, what it needs is leased, and its program
/// makes it.
public struct Mason: Sendable {
  public struct Settings: Sendable {
    /// Programs by the type of the construction, for types whose configuration has no mason. Dynamic types with neither
    /// are left alone.
    public var programs: [String: ServiceProgram]
    /// How many are built beside each other.
    public var poolSize: Int
    /// Between two looks for something to build.
    public var pause: Duration
    /// How often the server is told what is still held.
    public var heartbeat: Duration
    /// How long to wait for what is needed, before the resource is handed back to be tried again later.
    public var patience: Duration

    public init(
      programs: [String: ServiceProgram] = [:], poolSize: Int = 15, pause: Duration = .seconds(15),
      heartbeat: Duration = .seconds(60), patience: Duration = .seconds(600)
    ) {
      self.programs = programs
      self.poolSize = poolSize
      self.pause = pause
      self.heartbeat = heartbeat
      self.patience = patience
    }
  }

  private struct Plan {
    var needs: [String: Int]
    var construction: LifeCycle.Construction
    var program: ServiceProgram
  }

  private let access: any PoolsAccess
  private let types: TypeSource
  private let settings: Settings
  private let work: HeldWork
  private let turns: Turns
  /// One gathers what it needs at a time: two that have half of it each would wait for each other.
  private let gathering = Slots(1)
  private let logger: Logger

  /// - Parameters:
  ///   - holders: in whose names it leases, for a worker whose work lasts; nil leases as `access` does.
  ///   - types: whose configuration says what is needed for which type.
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

  /// Goes on with what an earlier server has left, and then pass after pass, until the task is cancelled.
  public func run() async {
    await withDiscardingTaskGroup { group in
      await takeUp(in: &group)
      while !Task.isCancelled {
        await pass(in: &group)
        do { try await access.surroundings.sleep(settings.pause) } catch { break }
      }
      group.cancelAll()
    }
  }

  /// What is dirty, one resource of each type in turn. A type whose building failed has its next turn in the next pass.
  public func pass() async { await withDiscardingTaskGroup { await pass(in: &$0) } }

  /// Who builds which type.
  private func plans() async -> [String: Plan] {
    let configuration = await types.configuration(logger)
    let policies = configuration.policies
    var plans: [String: Plan] = [:]
    for entry in configuration.entries where entry.isDynamic {
      let own = policies[entry.type]?.mason
      let program = own ?? entry.construction.flatMap { settings.programs[$0.type] }
      guard var program, work.serves(entry.type, program) else { continue }
      let expiries =
        [policies[entry.type]?.reaping?.expiry(ResourceState.cleaning)]
        + entry.needs.keys.map { policies[$0]?.reaping?.expiry(ResourceState.leased) }
      program.heartbeat = program.heartbeat ?? work.heartbeat(settings.heartbeat, expiries)
      plans[entry.type] = Plan(
        needs: entry.needs, construction: entry.construction ?? .init(type: "", content: ""), program: program)
    }
    return plans
  }

  private func takeUp(in group: inout DiscardingTaskGroup) async {
    let left = await work.left(in: &group)
    guard !left.isEmpty else { return }
    let plans = await plans()
    for held in left { turns.takeUp(in: &group) { await takeUp(held, plans) } }
  }

  /// Goes on with a build; what was only being gathered for one is dirty.
  private func takeUp(_ resources: [PooledResource], _ plans: [String: Plan]) async {
    guard let lasting = work.lasting, let first = resources.first else { return }
    // What is built is held in one state, and what it is built from in another.
    let own = resources.first { $0.state == ResourceState.cleaning }
    do {
      if let own, let plan = plans[own.type], try await lasting.hasBegun(own.owner) {
        logger.info("going on with what was begun", metadata: ["type": "\(own.type)", "name": "\(own.name)"])
        let parts = resources.filter { $0 != own }
        _ = await build(own, plan, Held([own] + parts), from: Dictionary(grouping: parts, by: \.type))
        return
      }
    } catch {
      return
    }
    guard await work.abandon(first.owner) else { return }
    await work.holding(first).handBack(resources.map { ($0, ResourceState.dirty) })
  }

  private func pass(in group: inout DiscardingTaskGroup) async {
    let chosen = await plans()
    await turns.round(chosen.keys.sorted(), in: &group) { type in
      await work.take(type, chosen[type]?.program)
    } work: { resource in
      guard let plan = chosen[resource.type] else { return false }
      return await build(resource, plan, Held([resource]))
    }
  }

  /// - Parameter parts: what an earlier server has begun to build it from; nil begins anew.
  private func build(
    _ resource: PooledResource, _ plan: Plan, _ held: Held, from parts: [String: [PooledResource]]? = nil
  ) async -> Bool {
    let work = work.holding(resource)
    var isBuilt = false
    var state = ResourceState.dirty
    do {
      let result = try await work.beating(held, every: plan.program.heartbeat ?? settings.heartbeat) {
        let leased = if let parts { parts } else { try await prepare(resource, plan, held, work.access) }
        return await construct(resource, plan, leased, work)
      }
      isBuilt = result?.succeeded == true
      if let result, !result.succeeded { state = work.destination(afterFailure: resource, plan.program) }
      if result == nil, work.isLeft { return false }
    } catch {
      if work.isLeft { return false }
      logger.error("building failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
      guard await work.abandon(resource.owner) else { return false }
    }
    // What it is built from is marked by its name; what was not built is dirty with all of it.
    let succeeded = isBuilt
    let own = state
    await work.handBack(
      held.all.reversed().map { one in
        let isOwn = one.name == resource.name && one.type == resource.type
        if succeeded { return (one, isOwn ? ResourceState.free : resource.name) }
        return (one, isOwn ? own : ResourceState.dirty)
      })
    return isBuilt
  }

  /// Hands back what it was built from before, and leases what it needs now.
  private func prepare(
    _ resource: PooledResource, _ plan: Plan, _ held: Held, _ access: any PoolsAccess
  ) async throws -> [String: [PooledResource]] {
    try await LeasedResources.recycle(resource, access, to: ResourceState.leased)
    await gathering.take()
    let leased: [String: [PooledResource]]
    do {
      leased = try await gather(plan.needs, held, access)
      gathering.give()
    } catch {
      gathering.give()
      throw error
    }
    let names = leased.sorted { $0.key < $1.key }.flatMap { $0.value.map(\.name) }
    try await access.update(resource, userData: [LeasedResources.key: LeasedResources.text(names)])
    return leased
  }

  private func construct(
    _ resource: PooledResource, _ plan: Plan, _ leased: [String: [PooledResource]], _ work: HeldWork
  ) async -> PoolWorkResult? {
    let task = PoolWork(
      kind: .build(leased: leased, construction: plan.construction), resource: resource, program: plan.program)
    return await work.perform(task) { result in
      var data = try Self.userData(result.answer)
      data[LeasedResources.key] = nil
      try await work.access.update(resource, userData: data)
    }
  }

  /// What is wrong with them is not said in the decoder's words: those have the keys in them, and are logged.
  private static func userData(_ answer: [UInt8]) throws -> [String: String] {
    do {
      return try UserDataBody.parse(answer) ?? [:]
    } catch {
      throw DroverError(.invalid, "it is no JSON object of texts")
    }
  }

  private func gather(
    _ needs: [String: Int], _ held: Held, _ access: any PoolsAccess
  ) async throws -> [String: [PooledResource]] {
    var leased: [String: [PooledResource]] = [:]
    for (type, count) in needs.sorted(by: { $0.key < $1.key }) {
      for _ in 0..<max(0, count) {
        try Task.checkCancellation()
        let one = try await access.acquireWaiting(
          type: type, from: ResourceState.free, to: ResourceState.leased, requestID: nil, timeout: settings.patience)
        held.add(one)
        leased[type, default: []].append(one)
      }
    }
    return leased
  }
}
