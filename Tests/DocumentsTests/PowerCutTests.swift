import CPowerCut
import Formats
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Documents

/// Power loss: a layer under SQLite that forgets what was not synced.
@Suite("SQLiteDocumentStore and power loss", .serialized) struct PowerCutTests {
  struct Round {
    var outcome: Promise.Outcome
    var acknowledged: Int
    var syncs: Int
    var damage: [String]
  }

  /// Writes until `count` commits are acknowledged, cuts the power, and looks at what is on the disk.
  ///
  /// With a seed, sectors that were not synced are kept or lost by chance, otherwise all of them are lost.
  private func round(_ synchronous: SQLiteSchema.Synchronous, acknowledgements count: Int, seed: UInt32) async throws
    -> Round
  {
    try await withTemporaryFolder { folder in
      mkdir("\(folder)/live", 0o700)
      mkdir("\(folder)/disk", 0o700)
      // Machines live as long as the process: SQLite's layers are for good.
      nonisolated(unsafe) let machine = try #require(powercut_add("\(folder)/live", "\(folder)/disk"))
      let live = try await SQLiteDocumentStore.open(
        "\(folder)/live/documents.sqlite", history: 100, synchronous: synchronous)
      let writers = 6
      let ledger = Ledger(writers: writers)
      await withTaskGroup(of: Void.self) { group in
        for writer in 0..<writers {
          group.addTask {
            await Promise.write(live, writer) { number in
              if ledger.acknowledge(writer, number) == count {
                // What was acknowledged up to here is promised; later acknowledgements may come before the cut.
                powercut_cut(machine, seed)
              }
            }
          }
        }
      }
      try? await live.close()
      let disk = try await SQLiteDocumentStore.open("\(folder)/disk/documents.sqlite")
      let outcome = try await Promise.check(disk, acknowledged: ledger.numbers)
      let damage = try await disk.damage()
      try await disk.close()
      return Round(
        outcome: outcome, acknowledged: ledger.numbers.reduce(0, +), syncs: powercut_syncs(machine), damage: damage)
    }
  }

  @Test("what was acknowledged survives a loss of power whole", arguments: 0..<24)
  func acknowledged(_ number: Int) async throws {
    var generator = SeededRandom(seed: UInt64(number))
    let count = Int.random(in: 1...(number % 4 == 0 ? 600 : 60), using: &generator)
    let seed: UInt32 = number < 8 ? 0 : UInt32.random(in: 1 ... .max, using: &generator)
    let round = try await round(.full, acknowledgements: count, seed: seed)
    #expect(round.acknowledged >= count)
    #expect(round.outcome.found >= count)
    #expect(round.outcome.lost == 0)
    #expect(round.outcome.torn == 0)
    #expect(round.damage == [])
    #expect(round.syncs > 0)
  }

  @Test("without syncs the same test finds losses, so it can fail")
  func unsynced() async throws {
    let round = try await round(.off, acknowledgements: 40, seed: 0)
    #expect(round.acknowledged >= 40)
    #expect(round.outcome.lost > 0)
  }
}

/// What was acknowledged to whom.
private final class Ledger: Sendable {
  private let state: Mutex<(numbers: [Int], total: Int)>

  init(writers: Int) { state = Mutex((Array(repeating: 0, count: writers), 0)) }

  var numbers: [Int] { state.withLock { $0.numbers } }

  /// Returns how many acknowledgements there are now.
  func acknowledge(_ writer: Int, _ number: Int) -> Int {
    state.withLock { state in
      state.numbers[writer] = number
      state.total += 1
      return state.total
    }
  }
}
