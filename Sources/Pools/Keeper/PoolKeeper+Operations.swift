import Logging
public import PoolsProtocol
import Surroundings

extension PoolKeeper {
  /// Leases a resource.
  ///
  /// - Parameter wait: how long to wait in line for one, instead of asking again and again. Without a request id the
  ///   place in line is given up at the end.
  public func acquire(_ request: AcquireRequest, wait: Duration? = nil) async throws(PoolFault) -> Acquired {
    guard let wait, wait > .zero else {
      return try await perform(isRepeat: request.isIdempotent) { engine, now throws(PoolFault) in
        try engine.acquire(request, now)
      }
    }
    guard request.requestID == nil else { return try await acquireWaiting(request, wait) }
    var anonymous = request
    anonymous.requestID = surroundings.identifier()
    do {
      return try await acquireWaiting(anonymous, wait)
    } catch {
      let key = QueueKey(type: request.type, state: request.state)
      if let id = anonymous.requestID, engine.queues[key]?[id] != nil {
        try? await perform { engine, _ throws(PoolFault) in engine.withdraw(id, key) }
      }
      throw error
    }
  }

  private func acquireWaiting(_ request: AcquireRequest, _ wait: Duration) async throws(PoolFault) -> Acquired {
    let key = QueueKey(type: request.type, state: request.state)
    let deadline = surroundings.elapsed() + wait
    while true {
      let acquired: Acquired
      do {
        acquired = try await perform(isRepeat: request.isIdempotent) { engine, now throws(PoolFault) in
          try engine.acquire(request, now)
        }
      } catch {
        guard case .nothingAvailable = error else { throw error }
        let rest = deadline - surroundings.elapsed()
        guard rest > .zero, !Task.isCancelled else { throw error }
        await sleep(key, request.requestID ?? "", for: min(rest, engine.requestTime / 3))
        // Nobody listens any more: asking again would keep a place in line that nobody wants.
        guard !Task.isCancelled else { throw error }
        continue
      }
      // Whoever may ask for the same again gets it then.
      guard Task.isCancelled, !request.isIdempotent else { return acquired }
      try await takeBack(acquired.resource, request)
      throw .nothingAvailable(request.type)
    }
  }

  /// Undoes a lease that nobody was left to hear of.
  private func takeBack(_ resource: PooledResource, _ request: AcquireRequest) async throws(PoolFault) {
    _ = try await perform { engine, now throws(PoolFault) in
      try engine.release(
        resource.name, type: resource.type, destination: request.state, owner: request.owner, now)
    }
  }

  /// Leases all of these, or none; in the order of their last use.
  public func acquire(
    names: Set<String>, type: String? = nil, state: String, destination: String, owner: String
  ) async throws(PoolFault) -> [PooledResource] {
    try await perform { engine, now throws(PoolFault) in
      try engine.acquire(names: names, type: type, state: state, destination: destination, owner: owner, now)
    }
  }

  /// Hands a resource back.
  public func release(
    _ name: String, type: String? = nil, destination: String, owner: String
  ) async throws(PoolFault) {
    let released = try await perform { engine, now throws(PoolFault) in
      try engine.release(name, type: type, destination: destination, owner: owner, now)
    }
    statistics.released(type: released.type, to: destination)
    if destination == quarantineState(released.type) { await noteQuarantine(released, state: destination) }
  }

  /// A heartbeat, perhaps with user data to be laid over the old, and another state for the lease.
  public func update(
    _ name: String, type: String? = nil, owner: String, state: String, destination: String? = nil,
    userData: [String: String]?
  ) async throws(PoolFault) {
    try await perform { engine, now throws(PoolFault) in
      try engine.update(
        name, type: type, owner: owner, state: state, destination: destination, userData: userData, now)
    }
  }

  /// Takes back what was not heard of for that long; who held what, by the resources' names.
  public func reset(
    type: String, state: String, expiry: Duration, destination: String
  ) async throws(PoolFault) -> [String: String] {
    let lost = try await perform(isTakingBack: true) { engine, now throws(PoolFault) in
      engine.reset(type: type, state: state, expiry: expiry, destination: destination, now)
    }
    statistics.lost(type: type, lost.count)
    for (name, owner) in lost.sorted(by: { $0.key < $1.key }) {
      logger.notice(
        "lease lost", metadata: ["type": "\(type)", "name": "\(name)", "owner": "\(owner)", "state": "\(state)"])
      note(.leaseLost, type: type, name: name, owner: owner, state: state)
    }
    return lost
  }

  /// How many resources of the type are in which state and with which owner.
  ///
  /// - Throws: nothing available, as the original says it, when there are none.
  public func metric(_ type: String) throws(PoolFault) -> PoolMetric {
    guard let index = engine.table.types[type] else {
      if engine.lifeCycles[type] != nil { return PoolMetric(type: type) }
      throw .nothingAvailable(type)
    }
    return index.metric(type)
  }

  /// The metrics of all types, by their names.
  public func metrics() -> [PoolMetric] {
    Set(engine.table.types.keys).union(engine.lifeCycles.keys).sorted().map { type in
      engine.table.types[type]?.metric(type) ?? PoolMetric(type: type)
    }
  }

  /// How many are served before a request that waits; nil when it does not.
  public func place(of requestID: String, type: String, state: String) -> Int? {
    guard let queue = engine.queues[QueueKey(type: type, state: state)], queue[requestID] != nil else { return nil }
    return queue.rank(requestID)
  }

  /// Gives up a request's place in line, if it has one.
  public func leaveLine(_ requestID: String, type: String, state: String) async throws(PoolFault) {
    let key = QueueKey(type: type, state: state)
    try await perform { engine, _ throws(PoolFault) in engine.withdraw(requestID, key) }
  }

  /// How many wait, all queues together.
  public var waiting: Int { engine.waiterCount }

  /// One resource; nil when there is none of that name, or when there are several and no type is given.
  public func resource(_ name: String, type: String? = nil) -> PooledResource? {
    let found = engine.table.named(name, type: type)
    return found.count == 1 ? found[0].resource : nil
  }

  /// Brings the pools to what a configuration says. Of many new resources some are made, and stored, at a time; when
  /// that fails, doing it again goes on where it was.
  public func configure(_ configuration: PoolsConfiguration) async throws(PoolFault) {
    try await perform { engine, now throws(PoolFault) in engine.beginConfiguring(configuration, now) }
    var rest = configuration.orderedStatic.makeIterator()
    var isMore = true
    while isMore {
      isMore = try await perform { engine, now throws(PoolFault) in engine.makeStatic(&rest, 20_000, now) }
    }
    try await perform { engine, now throws(PoolFault) in engine.endConfiguring(configuration, now) }
    self.configuration = configuration.withoutNames
    policies = configuration.policies
    watchPools()
  }
}
