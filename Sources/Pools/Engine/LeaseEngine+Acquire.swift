public import PoolsProtocol
public import Surroundings

/// What somebody asks for.
public struct AcquireRequest: Sendable, Hashable {
  public var type: String
  public var state: String
  public var destination: String
  public var owner: String
  /// Keeps a place in the queue from one call to the next.
  public var requestID: String?
  /// The same request again gets the lease that it already got, as long as its time has not passed.
  public var isIdempotent: Bool

  public init(
    type: String, state: String, destination: String, owner: String, requestID: String? = nil,
    isIdempotent: Bool = false
  ) {
    self.type = type
    self.state = state
    self.destination = destination
    self.owner = owner
    self.requestID = requestID
    self.isIdempotent = isIdempotent
  }
}

/// A lease, and since when its request waited.
public struct Acquired: Sendable, Hashable {
  public var resource: PooledResource
  public var waitingSince: Timestamp
}

extension LeaseEngine {
  /// Leases the resource that is not held and was not used the longest, or the one that the caller's place in the queue
  /// entitles to: k resources serve the first k who wait (reference/boskos.md 3).
  mutating func acquire(_ request: AcquireRequest, _ now: Timestamp) throws(PoolFault) -> Acquired {
    if let lease = repeated(request, now) { return Acquired(resource: lease.resource, waitingSince: now) }
    let key = QueueKey(type: request.type, state: request.state)
    queues[key]?.expire(now)
    let expiry = now.advanced(by: requestTime)
    let known = request.requestID.flatMap { queues[key]?[$0] }
    if let known { queues[key]?.renew(known.id, until: expiry) }
    let rank = queues[key]?.rank(request.requestID) ?? 0
    // No copy of an index may be held here: changing it would then copy all of it.
    if let entry = table.types[request.type]?.pools[request.state]?.unowned[rank], var record = table.record(entry) {
      record.owner = request.owner
      record.state = request.destination
      record.lastUpdate = now
      record.grant = nil
      if request.isIdempotent, let id = request.requestID {
        record.grant = .init(requestID: id, from: request.state, to: request.destination, at: now)
      }
      set(record)
      if let known { set(key, before: known, after: nil) }
      return Acquired(resource: record.resource, waitingSince: known?.createdAt ?? now)
    }
    let count = table.types[request.type]?.count
    if let id = request.requestID, known == nil, waiterCount < maximumWaiters {
      let waiter = WaitQueue.Waiter(id: id, sequence: nextSequence, createdAt: now, expiry: expiry)
      nextSequence += 1
      set(key, before: nil, after: waiter)
      if let lifeCycle = lifeCycles[request.type], (count ?? 0) < lifeCycle.maximum { create(lifeCycle, now) }
    }
    guard count != nil || lifeCycles[request.type] != nil else { throw .typeUnknown(request.type) }
    throw .nothingAvailable(request.type)
  }

  private func repeated(_ request: AcquireRequest, _ now: Timestamp) -> PoolRecord? {
    guard request.isIdempotent, let id = request.requestID,
      let record = table.granted(
        .init(
          type: request.type, owner: request.owner, from: request.state, to: request.destination, requestID: id)),
      let grant = record.grant,
      now <= grant.at.advanced(by: requestTime).advanced(by: table.outages.total(since: grant.at))
    else { return nil }
    return record
  }

  /// Leases all of these, or none. The type does not matter, unless one is given.
  ///
  /// - Returns: in the order of their last use.
  mutating func acquire(
    names: Set<String>, type: String? = nil, state: String, destination: String, owner: String, _ now: Timestamp
  ) throws(PoolFault) -> [PooledResource] {
    var records: [PoolRecord] = []
    for name in names {
      let found = table.named(name, type: type).filter { !$0.isOwned && $0.state == state }
      guard let record = found.first else { throw .nothingAvailable(state) }
      guard found.count == 1 else { throw .ambiguous(name, types: found.map(\.type).sorted()) }
      records.append(record)
    }
    records.sort { ($0.lastUpdate, $0.name) < ($1.lastUpdate, $1.name) }
    return records.map { before in
      var record = before
      record.owner = owner
      record.state = destination
      record.lastUpdate = now
      record.grant = nil
      set(record)
      return record.resource
    }
  }

  /// Somebody no longer waits.
  mutating func withdraw(_ id: String, _ key: QueueKey) {
    if let waiter = queues[key]?[id] { set(key, before: waiter, after: nil) }
  }

  /// Forgets those who no longer ask for what they waited for; to be called now and then.
  mutating func clearQueues(_ now: Timestamp) {
    for key in Array(queues.keys) {
      queues[key]?.expire(now)
      for waiter in queues[key]?.expiredWaiters ?? [] { set(key, before: waiter, after: nil) }
    }
  }
}
