import Digests
import Documents
import Formats
import Surroundings

/// Whose turn it is to get several resources of one type. Kind `lease-turn`, named by the type's digest; gone when the
/// task has them all, or does not want them any more.
struct LeaseTurnRecord: Codable, Sendable, Hashable {
  var task: Int
}

/// Tasks that want several resources of one type get them one task after another.
struct LeaseTurns: Sendable {
  let director: Director
  let context: TaskContext

  private func name(_ type: String) -> String { DigestHasher.hex(.sha256, type) }

  func take(_ type: String, _ reporter: StepReporter) async throws {
    let turns = director.records.leaseTurns
    var said: Int?
    while true {
      try context.cancellation.check()
      do {
        _ = try await turns.create(name(type), LeaseTurnRecord(task: context.id))
        return
      } catch  where error.isDocumentExists {
        guard let holder = try await turns.get(name(type)) else { continue }
        if holder.body.task == context.id { return }
        if try await director.hasEnded(task: holder.body.task) {
          // It has ended without giving its turn back.
          try? await turns.delete(name(type), atRevision: holder.revision)
          continue
        }
        if said != holder.body.task {
          said = holder.body.task
          try await reporter.status("waiting for task \(holder.body.task), which is getting several \(type)")
        }
        try await context.surroundings.sleep(.seconds(1))
      }
    }
  }

  func giveBack(_ type: String) async throws {
    let turns = director.records.leaseTurns
    guard let holder = try await turns.get(name(type)), holder.body.task == context.id else { return }
    try await turns.delete(name(type))
  }
}

extension Director {
  /// Whether a task has ended, or there is none of that id.
  func hasEnded(task id: Int) async throws -> Bool {
    do {
      return try await tasks.task(id).state.isFinal
    } catch let failure as DirectorFailure where failure.number == 10000 {
      return true
    }
  }
}
