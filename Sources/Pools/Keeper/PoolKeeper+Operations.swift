import Logging
public import PoolsProtocol
import Surroundings

extension PoolKeeper {
  /// Leases a resource.
  ///
  /// - Parameter wait: how long to wait in line for one, instead of asking again and again.
  public func acquire(_ request: AcquireRequest, wait: Duration? = nil) async throws(PoolFault) -> Acquired {
    guard let wait, wait > .zero else {
      return try await perform { engine, now throws(PoolFault) in
        try engine.acquire(request, now)
      }
    }
    var request = request
    if request.requestID == nil { request.requestID = surroundings.identifier() }
    let key = QueueKey(type: request.type, state: request.state)
    let deadline = surroundings.elapsed() + wait
    while true {
      do {
        return try await perform { engine, now throws(PoolFault) in try engine.acquire(request, now) }
      } catch {
        guard case .nothingAvailable = error else { throw error }
        let rest = deadline - surroundings.elapsed()
        guard rest > .zero, !Task.isCancelled else { throw error }
        await sleep(key, request.requestID ?? "", for: min(rest, engine.requestTime / 3))
      }
    }
  }

  /// Leases all of these, or none; in the order of their last use.
  public func acquire(
    names: Set<String>, state: String, destination: String, owner: String
  ) async throws(PoolFault) -> [PooledResource] {
    try await perform { engine, now throws(PoolFault) in
      try engine.acquire(names: names, state: state, destination: destination, owner: owner, now)
    }
  }

  /// Hands a resource back.
  public func release(_ name: String, destination: String, owner: String) async throws(PoolFault) {
    let type = engine.table[name]?.type ?? ""
    try await perform { engine, now throws(PoolFault) in
      try engine.release(name, destination: destination, owner: owner, now)
    }
    statistics.released(type: type, to: destination)
  }

  /// A heartbeat, perhaps with user data to be laid over the old.
  public func update(
    _ name: String, owner: String, state: String, userData: [String: String]?
  ) async throws(PoolFault) {
    try await perform { engine, now throws(PoolFault) in
      try engine.update(name, owner: owner, state: state, userData: userData, now)
    }
  }

  /// Takes back what was not heard of for that long; who held what, by the resources' names.
  public func reset(
    type: String, state: String, expiry: Duration, destination: String
  ) async throws(PoolFault) -> [String: String] {
    let lost = try await perform { engine, now throws(PoolFault) in
      engine.reset(type: type, state: state, expiry: expiry, destination: destination, now)
    }
    statistics.lost(type: type, lost.count)
    for (name, owner) in lost.sorted(by: { $0.key < $1.key }) {
      logger.notice(
        "lease lost", metadata: ["type": "\(type)", "name": "\(name)", "owner": "\(owner)", "state": "\(state)"])
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
    try await perform { engine, _ throws(PoolFault) in
      if let waiter = engine.queues[key]?[requestID] { engine.set(key, before: waiter, after: nil) }
    }
  }

  /// How many wait, all queues together.
  public var waiting: Int { engine.waiterCount }

  /// One resource; nil when there is none of that name.
  public func resource(_ name: String) -> PooledResource? { engine.table[name]?.resource }

  /// Brings the pools to what a configuration says.
  public func configure(_ configuration: PoolsConfiguration) async throws(PoolFault) {
    try await perform { engine, now throws(PoolFault) in engine.configure(configuration, now) }
  }
}
