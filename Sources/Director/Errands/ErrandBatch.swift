import Surroundings

/// One run of an errand on several instances: so many at once, to the end of all of them or, with `--fail-fast`, to the
/// first failure.
struct ErrandBatch: Sendable {
  /// On how many instances an errand runs at once, unless the run says otherwise.
  static let usualWidth = 50

  let context: TaskContext
  let run: ErrandRun

  /// What the run on one instance knows of the whole.
  struct Part: Sendable {
    /// All that it runs on.
    let targets: [ErrandSelection.Target]
    /// Asked to end when another one has failed and that is to end all.
    let haste: Cancellation

    /// What a script may tell its instance from the others by.
    func environment(of target: ErrandSelection.Target, task: Int) -> [String: String] {
      let place = targets.firstIndex { $0.instance.id == target.instance.id } ?? 0
      return [
        "DROVER_INSTANCE_GROUP": target.instance.group, "DROVER_INSTANCE_INDEX": String(target.instance.index),
        "DROVER_INSTANCE_ID": target.instance.id, "DROVER_RUN_INDEX": String(place),
        "DROVER_RUN_COUNT": String(targets.count), "DROVER_TASK": String(task),
      ]
    }
  }

  /// Runs it everywhere. A failure of ours on one instance lets the others go on, unless it is to end them.
  ///
  /// - Returns: what came of it, in the order of the targets, and the first failure. What a script came to is part of it
  ///   also where we failed afterwards.
  func run(
    _ targets: [ErrandSelection.Target],
    _ body: @escaping @Sendable (ErrandSelection.Target, Part) async throws -> ErrandOutcome
  ) async throws -> (outcomes: [ErrandOutcome], failure: (any Error)?) {
    let haste = Cancellation()
    // An earlier server may have seen a failure, and begun with less than all.
    for target in targets where run.failsFast == true {
      if let known = try await context.known(ErrandExecution.outcome(target.instance), as: ErrandOutcome.self),
        known.exitCode != 0
      {
        haste.request()
      }
    }
    let part = Part(targets: targets, haste: haste)
    let results = try await inParallel(targets, atMost: run.parallel ?? Self.usualWidth) {
      target -> (outcome: ErrandOutcome?, failure: (any Error)?) in
      let result: Result<ErrandOutcome, any Error>
      do {
        result = .success(try await body(target, part))
      } catch {
        result = .failure(error)
      }
      if run.failsFast == true, !Task.isCancelled { try await look(result, target, haste) }
      if case .failure(let error) = result, !Task.isCancelled {
        let known = try await context.known(ErrandExecution.outcome(target.instance), as: ErrandOutcome.self)
        return (known, error)
      }
      return (try result.get(), nil)
    }
    // The server stops: the next one goes on.
    try Task.checkCancellation()
    let failures = results.compactMap(\.failure)
    return (results.compactMap(\.outcome), failures.first { !($0 is TaskCancelled) } ?? failures.first)
  }

  private func look(
    _ result: Result<ErrandOutcome, any Error>, _ target: ErrandSelection.Target, _ haste: Cancellation
  ) async throws {
    let failure: String
    switch result {
    case .success(let outcome) where outcome.exitCode == 0: return
    case .success(let outcome): failure = "ended with \(outcome.exitCode)"
    case .failure(let error): failure = "failed: \(error)"
    }
    guard !haste.isRequested else { return }
    haste.request()
    guard !context.cancellation.isRequested else { return }
    try await context.warn("\(target.instance.label) \(failure); the others are ended, and no more is begun")
  }
}
