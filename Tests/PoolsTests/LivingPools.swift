import PoolsProtocol
import Surroundings

@testable import Pools

/// Pools with all that happens to them by themselves, as simple as can be: lists that are walked from the front, and
/// every rule of boskos.md 3 and 5 in a few lines. What it cannot know, the names of what is made and which of several
/// of the same age is leased, it is told.
struct LivingPools {
  struct Resource: Equatable {
    var resource: PooledResource
    /// The configuration names it.
    var isStatic = false
    /// It is to be deleted, or held by somebody who takes it down.
    var isGoing = false
    var grant: (id: String, from: String, to: String, at: Timestamp)?
    var at: Timestamp { resource.lastUpdate ?? Timestamp(seconds: 0) }

    static func == (left: Resource, right: Resource) -> Bool { left.resource == right.resource }
  }

  typealias Waiter = ObviousPools.Waiter

  var resources: [Resource] = []
  var cycles: [String: LifeCycle] = [:]
  var names: [String: LeaseEngine.StaticResource] = [:]
  var queues: [QueueKey: [Waiter]] = [:]
  var outages: [(end: Timestamp, length: Duration)] = []
  /// Resources that were made and have no name yet.
  var unnamed: [PooledResource] = []
  let time: Duration = .seconds(30)

  func index(_ name: String) -> Int? { resources.firstIndex { $0.resource.name == name } }

  private func away(since time: Timestamp) -> Duration {
    outages.filter { $0.end > time }.reduce(.zero) { $0 + $1.length }
  }

  // MARK: what clients ask for

  /// - Parameter choose: one of several that are as old as each other.
  mutating func acquire(
    _ request: AcquireRequest, _ now: Timestamp, choose: ([String]) -> String?
  ) throws(PoolFault) -> PooledResource {
    if let lease = repeated(request, now) { return lease }
    let key = QueueKey(type: request.type, state: request.state)
    var queue = queues[key] ?? []
    var isNew = false
    if let id = request.requestID {
      if let place = queue.firstIndex(where: { $0.id == id }) {
        queue[place].expiry = now + time
      } else {
        isNew = true
        queue.append(Waiter(id: id, expiry: now + time))
      }
    }
    let live = queue.filter { $0.expiry >= now }
    let rank = request.requestID.flatMap { id in live.firstIndex { $0.id == id } } ?? live.count
    let candidates = resources.indices.filter {
      let one = resources[$0].resource
      return one.type == request.type && one.state == request.state && one.owner == ""
    }.sorted { resources[$0].at < resources[$1].at }
    guard rank < candidates.count else {
      queues[key] = queue
      let count = resources.count { $0.resource.type == request.type }
      if isNew, let cycle = cycles[request.type], count < cycle.maximum { make(cycle, now) }
      throw count > 0 || cycles[request.type] != nil ? .nothingAvailable(request.type) : .typeUnknown(request.type)
    }
    let age = resources[candidates[rank]].at
    let same = candidates.filter { resources[$0].at == age }.map { resources[$0].resource.name }
    guard let chosen = choose(same), same.contains(chosen), let index = index(chosen) else {
      throw .storage("expected one of \(same)")
    }
    queues[key] = queue.filter { $0.id != request.requestID }
    move(index, request.owner, request.destination, now)
    if request.isIdempotent, let id = request.requestID {
      resources[index].grant = (id, request.state, request.destination, now)
    }
    return resources[index].resource
  }

  private func repeated(_ request: AcquireRequest, _ now: Timestamp) -> PooledResource? {
    guard request.isIdempotent else { return nil }
    return resources.filter { one in
      guard let grant = one.grant else { return false }
      let lease = one.resource
      return lease.type == request.type && lease.owner == request.owner && grant.to == request.destination
        && grant.from == request.state && grant.id == request.requestID
        && now <= grant.at + time + away(since: grant.at)
    }.first?.resource
  }

  mutating func acquire(
    names: Set<String>, state: String, destination: String, owner: String, _ now: Timestamp
  ) throws(PoolFault) -> [PooledResource] {
    let found = resources.indices
      .filter {
        let one = resources[$0].resource
        return names.contains(one.name) && one.state == state && one.owner == ""
      }
      .sorted { (resources[$0].at, resources[$0].resource.name) < (resources[$1].at, resources[$1].resource.name) }
    guard found.count == names.count else { throw .nothingAvailable(state) }
    for index in found { move(index, owner, destination, now) }
    return found.map { resources[$0].resource }
  }

  mutating func release(_ name: String, destination: String, owner: String, _ now: Timestamp) throws(PoolFault) {
    let index = try held(name, owner)
    move(index, "", destination, now)
    if let cycle = cycles[resources[index].resource.type] {
      if let lifespan = cycle.lifespan { resources[index].resource.expiration = now + lifespan }
    } else {
      resources[index].resource.expiration = nil
    }
    free(name, now)
  }

  mutating func update(
    _ name: String, owner: String, state: String, destination: String?, userData: [String: String], _ now: Timestamp
  ) throws(PoolFault) {
    let index = try held(name, owner)
    let current = resources[index].resource.state
    guard current == state else { throw .stateDiffers(requested: state, current: current) }
    resources[index].resource.lastUpdate = now
    if let destination { resources[index].resource.state = destination }
    for (key, value) in userData { resources[index].resource.userData[key] = value == "" ? nil : value }
  }

  mutating func reset(
    type: String, state: String, expiry: Duration, destination: String, _ now: Timestamp
  ) -> [String: String] {
    let silent = resources.filter {
      $0.resource.type == type && $0.resource.state == state && $0.resource.owner != ""
        && now - $0.at - away(since: $0.at) >= expiry
    }.sorted { $0.at < $1.at }
    for one in silent {
      guard let index = index(one.resource.name) else { continue }
      move(index, "", destination, now)
      free(one.resource.name, now)
    }
    return Dictionary(uniqueKeysWithValues: silent.map { ($0.resource.name, $0.resource.owner) })
  }

  mutating func clearQueues(_ now: Timestamp) {
    for key in Array(queues.keys) { queues[key]?.removeAll { $0.expiry < now } }
  }

  private func held(_ name: String, _ owner: String) throws(PoolFault) -> Int {
    guard let index = index(name) else { throw .nothingAvailable(name) }
    let current = resources[index].resource.owner
    guard current == owner else { throw .ownerDiffers(requested: owner, current: current) }
    return index
  }

  private mutating func move(_ index: Int, _ owner: String, _ state: String, _ now: Timestamp) {
    resources[index].resource.owner = owner
    resources[index].resource.state = state
    resources[index].resource.lastUpdate = now
    resources[index].grant = nil
  }

  // MARK: what happens by itself

  /// Nobody holds it any more.
  private mutating func free(_ name: String, _ now: Timestamp) {
    guard let index = index(name) else { return }
    let one = resources[index]
    if one.resource.state == "toBeDeleted" {
      resources[index].isGoing = true
    } else if one.resource.state != "tombstone" {
      resources[index].isGoing = false
    }
    if let wanted = names[name], wanted.type != one.resource.type {
      resources.remove(at: index)
      makeStatic(name, wanted, now)
    } else if !one.isStatic, cycles[one.resource.type] == nil {
      resources.remove(at: index)
    }
    settle(one.resource.type, now)
  }

  private mutating func make(_ cycle: LifeCycle, _ now: Timestamp) {
    let state = cycle.initialState == "" ? "free" : cycle.initialState
    unnamed.append(PooledResource(type: cycle.type, name: "", state: state, lastUpdate: now))
  }

  private mutating func makeStatic(_ name: String, _ wanted: LeaseEngine.StaticResource, _ now: Timestamp) {
    let resource = PooledResource(type: wanted.type, name: name, state: wanted.state, lastUpdate: now)
    resources.append(Resource(resource: resource, isStatic: true))
  }

  private mutating func settle(_ type: String, _ now: Timestamp) {
    guard let cycle = cycles[type] else { return }
    func isDynamic(_ one: Resource) -> Bool { one.resource.type == type && !one.isStatic }
    resources.removeAll { isDynamic($0) && $0.resource.owner == "" && $0.resource.state == "tombstone" }
    for (index, one) in resources.enumerated() where isDynamic(one) && isMarkable(one) {
      if let end = one.resource.expiration, end + away(since: one.at) < now { mark(index, now) }
    }
    let active = resources.count(where: isDynamic) + unnamed.count { $0.type == type }
    for _ in 0..<max(0, cycle.minimum - active) { make(cycle, now) }
    let going = resources.count { isDynamic($0) && $0.isGoing }
    let candidates = resources.indices.filter { isDynamic(resources[$0]) && isMarkable(resources[$0]) }
      .sorted { resources[$0].resource.name > resources[$1].resource.name }
    for index in candidates.prefix(max(0, active - going - cycle.maximum)) { mark(index, now) }
    if cycle.isEnding, !resources.contains(where: isDynamic) { cycles[type] = nil }
  }

  private func isMarkable(_ one: Resource) -> Bool {
    one.resource.owner == "" && !["toBeDeleted", "tombstone"].contains(one.resource.state)
  }

  private mutating func mark(_ index: Int, _ now: Timestamp) {
    resources[index].resource.state = "toBeDeleted"
    resources[index].resource.lastUpdate = now
    resources[index].isGoing = true
  }

  mutating func tick(_ now: Timestamp) { for type in cycles.keys.sorted() { settle(type, now) } }

  mutating func configure(_ configuration: PoolsConfiguration, _ now: Timestamp) {
    names = configuration.staticResources
    let wanted = configuration.lifeCycles
    for one in resources {
      guard let index = index(one.resource.name) else { continue }
      let (type, isOwned) = (one.resource.type, one.resource.owner != "")
      let isDynamic = wanted[type] != nil || cycles[type] != nil
      if let entry = names[one.resource.name] {
        resources[index].isStatic = entry.type == type
        if entry.type != type, !isOwned { resources.remove(at: index) }
      } else if one.isStatic || !isDynamic {
        resources[index].isStatic = false
        if !isDynamic, !isOwned { resources.remove(at: index) }
      }
    }
    for (name, entry) in names where index(name) == nil { makeStatic(name, entry, now) }
    for (type, cycle) in cycles where wanted[type] == nil {
      cycles[type] = cycle
      cycles[type]?.minimum = 0
      cycles[type]?.maximum = 0
    }
    cycles.merge(wanted) { $1 }
    tick(now)
  }

  /// The server was away until now; whoever waited has all his time again.
  mutating func restart(away length: Duration, _ now: Timestamp) {
    outages.append((now, length))
    for key in Array(queues.keys) {
      for index in queues[key]?.indices ?? 0..<0 { queues[key]?[index].expiry = now + time }
    }
  }
}
