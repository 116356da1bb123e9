import PoolsProtocol
import Surroundings

@testable import Pools

/// Pools as simple as can be: lists that are walked from the front, to compare the engine with.
struct ObviousPools {
  struct Waiter {
    var id: String
    var expiry: Timestamp
  }

  var resources: [PooledResource] = []
  var queues: [QueueKey: [Waiter]] = [:]
  let time: Duration = .seconds(30)

  mutating func acquire(_ request: AcquireRequest, _ now: Timestamp) throws(PoolFault) -> PooledResource {
    let key = QueueKey(type: request.type, state: request.state)
    var queue = queues[key] ?? []
    var live = queue.filter { $0.expiry >= now }
    if let id = request.requestID {
      if let place = queue.firstIndex(where: { $0.id == id }) {
        queue[place].expiry = now + time
      } else {
        queue.append(Waiter(id: id, expiry: now + time))
      }
      live = queue.filter { $0.expiry >= now }
    }
    let rank = request.requestID.flatMap { id in live.firstIndex { $0.id == id } } ?? live.count
    let candidates = resources.indices
      .filter {
        resources[$0].type == request.type && resources[$0].state == request.state && resources[$0].owner == ""
      }
      .sorted { at($0) < at($1) }
    guard rank < candidates.count else {
      queues[key] = queue
      throw resources.contains { $0.type == request.type }
        ? .nothingAvailable(request.type) : .typeUnknown(request.type)
    }
    queue.removeAll { $0.id == request.requestID }
    queues[key] = queue
    move(candidates[rank], request.owner, request.destination, now)
    return resources[candidates[rank]]
  }

  mutating func acquire(
    names: Set<String>, state: String, destination: String, owner: String, _ now: Timestamp
  ) throws(PoolFault) -> [PooledResource] {
    let found = resources.indices
      .filter { names.contains(resources[$0].name) && resources[$0].state == state && resources[$0].owner == "" }
      .sorted { (at($0), resources[$0].name) < (at($1), resources[$1].name) }
    guard found.count == names.count else { throw .nothingAvailable(state) }
    for index in found { move(index, owner, destination, now) }
    return found.map { resources[$0] }
  }

  mutating func release(_ name: String, destination: String, owner: String, _ now: Timestamp) throws(PoolFault) {
    move(try held(name, owner), "", destination, now)
  }

  mutating func update(
    _ name: String, owner: String, state: String, destination: String?, userData: [String: String], _ now: Timestamp
  ) throws(PoolFault) {
    let index = try held(name, owner)
    guard resources[index].state == state else {
      throw .stateDiffers(requested: state, current: resources[index].state)
    }
    resources[index].lastUpdate = now
    if let destination { resources[index].state = destination }
    for (key, value) in userData { resources[index].userData[key] = value == "" ? nil : value }
  }

  mutating func reset(
    type: String, state: String, expiry: Duration, destination: String, _ now: Timestamp
  ) -> [String: String] {
    var lost: [String: String] = [:]
    for (index, resource) in resources.enumerated()
    where resource.type == type && resource.state == state && resource.owner != "" && now - at(index) >= expiry {
      lost[resource.name] = resource.owner
      move(index, "", destination, now)
    }
    return lost
  }

  mutating func clearQueues(_ now: Timestamp) {
    for key in Array(queues.keys) { queues[key]?.removeAll { $0.expiry < now } }
  }

  func metric(_ type: String) -> PoolMetric {
    var metric = PoolMetric(type: type)
    for resource in resources where resource.type == type {
      metric.current[resource.state, default: 0] += 1
      metric.owners[resource.owner, default: 0] += 1
    }
    return metric
  }

  private func at(_ index: Int) -> Timestamp { resources[index].lastUpdate ?? Timestamp(seconds: 0) }

  private func held(_ name: String, _ owner: String) throws(PoolFault) -> Int {
    guard let index = resources.firstIndex(where: { $0.name == name }) else { throw .nothingAvailable(name) }
    guard resources[index].owner == owner else {
      throw .ownerDiffers(requested: owner, current: resources[index].owner)
    }
    return index
  }

  private mutating func move(_ index: Int, _ owner: String, _ state: String, _ now: Timestamp) {
    resources[index].owner = owner
    resources[index].state = state
    resources[index].lastUpdate = now
  }
}
