import Documents
import Formats
import Releases
import Surroundings

/// Waits in line for leases of a task, and hands them back: all or nothing, each once.
struct LeaseLine: Sendable {
  let director: Director
  let context: TaskContext
  let pools: any ResourceLeases
  /// How often the task has given its leases up before; what it decides about them is decided anew each time.
  let round: Int

  /// For how long a question to the pools may take: somebody who ends the task waits no longer.
  private static let patience = Duration.seconds(1)
  /// For how long handing back is tried when somebody has asked for the end, and nobody else would take it back.
  private static let patienceAtEnd = Duration.seconds(60)

  private func checkpoint(_ want: ErrandLease) -> String { Self.checkpoint(want, round) }

  private static func checkpoint(_ want: ErrandLease, _ round: Int) -> String {
    round == 0 ? "lease \(want.name)" : "lease \(want.name) (\(round))"
  }

  /// Whether a task has begun to wait in line for this and has not got it. One that another waits for never gives up.
  static func isInLine(_ task: Int, for want: ErrandLease, _ board: TaskBoard) async throws -> Bool {
    let checkpoint = checkpoint(want, 0)
    guard try await board.known(task: task, "\(checkpoint) begun", as: Timestamp.self) != nil else { return false }
    return try await board.known(task: task, checkpoint, as: LeasesInHand.Lease.self) == nil
  }

  /// In whose name a lease is held: `drover-1a2b3c4d/task-17/account`.
  func owner(of want: ErrandLease) -> String {
    "\(director.identity.name)-\(director.identity.id.prefix(8))/task-\(context.id)/\(want.name)"
  }

  private func request(of want: ErrandLease) -> LeaseRequest {
    let owner = owner(of: want)
    return LeaseRequest(type: want.type, state: want.state, heldState: want.heldState, owner: owner, id: owner)
  }

  // MARK: Getting

  /// Leases all, one after another in the order given.
  ///
  /// - Parameter take: called with each as soon as it is got.
  func acquire(_ wants: [ErrandLease], _ take: (LeasesInHand.Lease) -> Void) async throws {
    let stage = context.stage("Leasing resources", total: wants.count)
    let turns = LeaseTurns(director: director, context: context)
    for (index, want) in wants.enumerated() {
      // Two errands that want two of one type each would wait for each other's first one for ever.
      let isOneOfSeveral = wants.count { $0.type == want.type } > 1
      let isLast = index + 1 == wants.count || wants[index + 1].type != want.type
      if let lease = try await context.known(checkpoint(want), as: LeasesInHand.Lease.self) {
        take(lease)
      } else {
        take(
          try await stage.step("\(want.type) (\(want.name))") { reporter in
            if isOneOfSeveral { try await turns.take(want.type, reporter) }
            return try await acquire(want, reporter)
          })
      }
      if isOneOfSeveral, isLast { try await turns.giveBack(want.type) }
    }
  }

  private func acquire(_ want: ErrandLease, _ reporter: StepReporter) async throws -> LeasesInHand.Lease {
    try await context.once(checkpoint(want)) {
      let request = request(of: want)
      let begun = try await context.once("\(checkpoint(want)) begun") { context.surroundings.now() }
      let resource: LeasedResource
      do {
        resource = try await wait(want, request, since: begun, reporter)
      } catch {
        if !Task.isCancelled { try? await pools.leaveLine(request) }
        throw error
      }
      try await reporter.status("leased \(resource.name)")
      return LeasesInHand.Lease(want: want, owner: request.owner, resource: resource)
    }
  }

  private func wait(
    _ want: ErrandLease, _ request: LeaseRequest, since begun: Timestamp, _ reporter: StepReporter
  ) async throws -> LeasedResource {
    let surroundings = context.surroundings
    var said = ""
    func say(_ text: String) async throws {
      guard text != said else { return }
      said = text
      try await reporter.status(text)
    }
    // Whether an answer may have been lost that gave us one.
    var isUnsure = true
    while true {
      try context.cancellation.check()
      do {
        if isUnsure, let found = try await alreadyHeld(want, request.owner) { return found }
        isUnsure = false
        switch try await pools.acquire(request, patience: Self.patience) {
        case .leased(let resource): return resource
        case .waiting(let before?) where before > 0:
          try await say("waiting for '\(want.type)' in state '\(want.state)'; \(before) in line before this errand")
        case .waiting: try await say("waiting for '\(want.type)' in state '\(want.state)'")
        }
      } catch let fault as LeaseFault {
        throw Self.failure(fault, want)
      } catch {
        if Task.isCancelled { throw error }
        isUnsure = true
        try await say("the pools cannot be asked; trying again: \(error)")
        try await surroundings.sleep(Self.patience)
      }
      if let limit = want.waitSeconds, surroundings.now() - begun >= .seconds(limit) {
        throw DirectorFailure.errand(
          limit == 0
            ? "There is no '\(want.type)' in state '\(want.state)' now, and the errand does not wait for one"
            : "There was no '\(want.type)' in state '\(want.state)' for this errand within "
              + "\(Duration.seconds(limit).shortText), as long as it waits")
      }
    }
  }

  /// What we have been given without knowing it. When the pools do not tell its user data any more it is handed back as
  /// it was: nothing has been done with it.
  private func alreadyHeld(_ want: ErrandLease, _ owner: String) async throws -> LeasedResource? {
    var kept: LeasedResource?
    for resource in try await pools.held(by: owner, type: want.type) ?? [] {
      if kept == nil, resource.userData != nil {
        kept = resource
      } else {
        try await release(resource.name, type: want.type, to: want.state, owner: owner)
      }
    }
    return kept
  }

  private static func failure(_ fault: LeaseFault, _ want: ErrandLease) -> any Error {
    switch fault {
    case .typeUnknown(let known):
      let hint = NearNames.hint(want.type, among: known)
      let all = known.isEmpty ? "" : "; there are: \(known.sorted().prefix(20).joined(separator: ", "))"
      return DirectorFailure.errand("The pools have no resources of type '\(want.type)'\(hint.isEmpty ? all : hint)")
    case .notHeld(let text), .refused(let text):
      return DirectorFailure.errand("Leasing a \(want.type): the pools refuse: \(text)")
    }
  }

  // MARK: Handing back

  /// Whether some of it was handed back in this round.
  func hasHandedBack(_ wants: [ErrandLease]) async throws -> Bool {
    for want in wants {
      if try await context.known("\(checkpoint(want)) handed back", as: Bool.self) != nil { return true }
    }
    return false
  }

  /// Hands back all that was got, also what nobody knew of, in the state that it goes to, or as it was.
  func handBack(_ wants: [ErrandLease], isUsed: Bool) async throws {
    let turns = LeaseTurns(director: director, context: context)
    for type in Set(wants.map(\.type)).sorted() where wants.count(where: { $0.type == type }) > 1 {
      try await turns.giveBack(type)
    }
    for want in wants {
      _ = try await context.once("\(checkpoint(want)) handed back") {
        try await handBack(want, to: isUsed ? want.finalState : want.state)
      }
    }
  }

  /// Returns whether it is certain that nothing is held any more.
  private func handBack(_ want: ErrandLease, to state: String) async throws -> Bool {
    let surroundings = context.surroundings
    let owner = owner(of: want)
    let known = try await context.known(checkpoint(want), as: LeasesInHand.Lease.self)
    let begun = surroundings.elapsed()
    var pause = Duration.seconds(1)
    var isSaid = false
    while true {
      do {
        // One that was killed in line, and was asked to end meanwhile, has not left it.
        if known == nil { try await pools.leaveLine(request(of: want)) }
        var names = Set(try await pools.held(by: owner, type: want.type)?.map(\.name) ?? [])
        if let known { names.insert(known.resource.name) }
        for name in names.sorted() { try await release(name, type: want.type, to: state, owner: owner) }
        return true
      } catch LeaseFault.typeUnknown {
        return true
      } catch {
        if Task.isCancelled { throw error }
        let place = "The \(want.type)\(known.map { " '\($0.resource.name)'" } ?? "")"
        let tried = surroundings.elapsed() - begun
        if let expiry = await pools.expiry(of: want.type, in: want.heldState) {
          if tried >= expiry {
            try await context.warn("\(place) cannot be handed back: \(error); the pools take it back by themselves")
            return false
          }
        } else if context.cancellation.isRequested, tried >= Self.patienceAtEnd {
          try await context.warn(
            "\(place) cannot be handed back: \(error); it stays leased by '\(owner)' until somebody releases it")
          return false
        }
        if !isSaid { try await context.warn("\(place) cannot be handed back now; trying again: \(error)") }
        isSaid = true
        try await surroundings.sleep(pause)
        pause = min(pause * 2, .seconds(30))
      }
    }
  }

  /// Hands a resource back unless that was done, or somebody else holds it.
  private func release(_ name: String, type: String, to state: String, owner: String) async throws {
    do {
      try await pools.release(name, type: type, to: state, owner: owner)
    } catch LeaseFault.notHeld {
      // Handed back before a restart, or lost.
    }
  }
}
