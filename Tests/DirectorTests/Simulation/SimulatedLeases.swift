import Formats
import Surroundings
import Synchronization

@testable import Director

/// Pools in memory, with a line for each type: as the real ones in what matters to a director, and they write down what
/// was done to them.
final class SimulatedLeases: ResourceLeases {
  /// How the pools tell the same request that comes again.
  enum Memory { case whole, withoutData, none }

  struct Resource: Sendable, Hashable {
    var type: String
    var state: String
    var owner = ""
    var userData: [String: String] = [:]
  }

  private struct State {
    var resources: [String: Resource] = [:]
    var line: [LeaseRequest] = []
    var history: [String] = []
    var violations: [String] = []
    var isAway = false
    var memory = Memory.whole
    var heardOf: [String: Duration] = [:]
  }

  func expiry(of type: String, in state: String) async -> Duration? { .seconds(1800) }
  private let clock: VirtualClock
  private let state = Mutex(State())

  init(clock: VirtualClock) { self.clock = clock }

  // MARK: For tests

  func add(_ name: String, _ resource: Resource) { state.withLock { $0.resources[name] = resource } }
  subscript(name: String) -> Resource? { state.withLock { $0.resources[name] } }
  /// `account1 free→busy by …` in order, and `account1 busy→dirty`.
  var history: [String] { state.withLock { $0.history } }
  var violations: [String] { state.withLock { $0.violations } }
  /// Owners by resource.
  var held: [String: String] {
    state.withLock { $0.resources.filter { !$0.value.owner.isEmpty }.mapValues(\.owner) }
  }
  var waiting: Int { state.withLock { $0.line.count } }
  /// Whether the pools cannot be reached.
  var isAway: Bool {
    get { state.withLock { $0.isAway } }
    set { state.withLock { $0.isAway = newValue } }
  }
  var memory: Memory {
    get { state.withLock { $0.memory } }
    set { state.withLock { $0.memory = newValue } }
  }
  /// The longest silence about a resource until now.
  func silence(of name: String) -> Duration? { state.withLock { $0.heardOf[name].map { clock.now - $0 } } }

  /// Somebody takes a lease back, or frees what is dirty.
  func take(_ name: String, to state: String) {
    self.state.withLock {
      $0.resources[name]?.owner = ""
      $0.resources[name]?.state = state
    }
  }

  // MARK: ResourceLeases

  private func reached<Answer>(_ body: (inout State) throws -> Answer) async throws -> Answer {
    try await clock.sleep(.milliseconds(clock.chance(20)))
    return try state.withLock { state in
      guard !state.isAway else { throw DroverError(.unavailable, "nobody listens") }
      return try body(&state)
    }
  }

  func acquire(_ request: LeaseRequest, patience: Duration) async throws -> LeaseAnswer {
    let deadline = clock.now + patience
    while true {
      let answer = try await reached { state -> LeaseAnswer in
        guard state.resources.values.contains(where: { $0.type == request.type }) else {
          throw LeaseFault.typeUnknown(known: Set(state.resources.values.map(\.type)).sorted())
        }
        if state.memory == .whole, let mine = state.resources.first(where: { $0.value.owner == request.owner }) {
          return .leased(Self.leased(mine.key, mine.value, state.memory))
        }
        if !state.line.contains(request) { state.line.append(request) }
        let line = state.line.filter { $0.type == request.type && $0.state == request.state }
        let place = line.firstIndex(of: request) ?? 0
        let free = state.resources.filter {
          $0.value.type == request.type && $0.value.state == request.state && $0.value.owner.isEmpty
        }.keys.sorted()
        guard place < free.count else { return .waiting(before: place) }
        let name = free[place]
        state.line.removeAll { $0 == request }
        state.resources[name]?.owner = request.owner
        state.resources[name]?.state = request.heldState
        state.heardOf[name] = clock.now
        state.history.append("\(name) \(request.state)→\(request.heldState) \(request.owner)")
        if state.resources.values.count(where: { $0.owner == request.owner }) > 1 {
          state.violations.append("\(request.owner) has two leases")
        }
        guard let resource = state.resources[name] else { return .waiting(before: nil) }
        return .leased(Self.leased(name, resource, .whole))
      }
      if case .leased = answer { return answer }
      guard clock.now < deadline else { return answer }
      try await clock.sleep(.milliseconds(200))
    }
  }

  private static func leased(_ name: String, _ resource: Resource, _ memory: Memory) -> LeasedResource {
    LeasedResource(
      type: resource.type, name: name, state: resource.state, userData: memory == .whole ? resource.userData : nil)
  }

  func leaveLine(_ request: LeaseRequest) async throws { try await reached { $0.line.removeAll { $0 == request } } }

  func held(by owner: String, type: String) async throws -> [LeasedResource]? {
    try await reached { state in
      guard state.memory != .none else { return nil }
      return state.resources.filter { $0.value.owner == owner && $0.value.type == type }.sorted { $0.key < $1.key }
        .map { Self.leased($0.key, $0.value, state.memory) }
    }
  }

  func beat(_ resource: LeasedResource, owner: String) async throws {
    try await reached { state in
      guard let held = state.resources[resource.name], held.owner == owner, held.state == resource.state else {
        throw LeaseFault.notHeld("owner mismatch request by \(owner)")
      }
      state.heardOf[resource.name] = clock.now
    }
  }

  func release(_ name: String, type: String, to state: String, owner: String) async throws {
    try await reached { world in
      guard let held = world.resources[name], held.owner == owner else {
        throw LeaseFault.notHeld("owner mismatch request by \(owner)")
      }
      world.history.append("\(name) \(held.state)→\(state) \(owner)")
      world.resources[name]?.owner = ""
      world.resources[name]?.state = state
    }
  }
}

/// The pools as a server that may die sees them.
struct MortalLeases: ResourceLeases {
  let leases: SimulatedLeases
  let fuse: Fuse

  func expiry(of type: String, in state: String) async -> Duration? { await leases.expiry(of: type, in: state) }

  func acquire(_ request: LeaseRequest, patience: Duration) async throws -> LeaseAnswer {
    try await fuse.pass { try await leases.acquire(request, patience: patience) }
  }
  func leaveLine(_ request: LeaseRequest) async throws { try await fuse.pass { try await leases.leaveLine(request) } }
  func held(by owner: String, type: String) async throws -> [LeasedResource]? {
    try await fuse.pass { try await leases.held(by: owner, type: type) }
  }
  func beat(_ resource: LeasedResource, owner: String) async throws {
    try await fuse.pass { try await leases.beat(resource, owner: owner) }
  }
  func release(_ name: String, type: String, to state: String, owner: String) async throws {
    try await fuse.pass { try await leases.release(name, type: type, to: state, owner: owner) }
  }
}
