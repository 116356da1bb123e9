import CPowerCut
import Documents
import Glibc
import Logging
import PoolsProtocol
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Pools

/// Power loss: a layer under SQLite that forgets what was not synced.
@Suite("PoolKeeper and power loss", .serialized) struct PoolPowerCutTests {
  @Test("every lease and release that was acknowledged survives a loss of power", arguments: 0..<6)
  func acknowledged(round: Int) async throws {
    try await withTemporaryFolder { folder in
      mkdir("\(folder)/live", 0o700)
      mkdir("\(folder)/disk", 0o700)
      // Machines live as long as the process: SQLite's layers are for good.
      nonisolated(unsafe) let machine = try #require(powercut_add("\(folder)/live", "\(folder)/disk"))
      let live = try await SQLiteDocumentStore.open("\(folder)/live/pools.sqlite")
      let names = (0..<8).map { "r\($0)" }
      let keeper = try await PoolKeeper(store: live, surroundings: .system, logger: Logger(label: "test"))
      try await keeper.configure(PoolsConfiguration([.init(type: "t", names: names)]))
      let ledger = Ledger()
      let cut = 20 + round * 40
      await withTaskGroup(of: Void.self) { group in
        for client in 0..<16 {
          group.addTask {
            await Self.work(keeper, "c\(client)", ledger) {
              if ledger.count >= cut, ledger.end() { powercut_cut(machine, UInt32(round)) }
            }
          }
        }
      }
      try? await live.close()
      let disk = try await SQLiteDocumentStore.open("\(folder)/disk/pools.sqlite")
      let restarted = try await PoolKeeper(store: disk, surroundings: .system, logger: Logger(label: "test"))
      #expect(ledger.count >= cut)
      for name in names {
        let owner = try #require(await restarted.resource(name)?.owner)
        #expect(ledger.allows(name, owner), "\(name) is held by '\(owner)'")
      }
      try await disk.close()
    }
  }

  /// Leases and releases until the store fails.
  private static func work(
    _ keeper: PoolKeeper, _ owner: String, _ ledger: Ledger, _ acknowledged: @Sendable () -> Void
  ) async {
    while true {
      ledger.begin(owner, releasing: nil)
      let name: String
      do {
        name = try await keeper.acquire(
          AcquireRequest(type: "t", state: "free", destination: "busy", owner: owner)
        ).resource.name
      } catch .storage {
        return
      } catch {
        // Those who failed to hand back what they hold have gone: there will be nothing any more.
        if ledger.isOver { return }
        await Task.yield()
        continue
      }
      ledger.acknowledge(name, owner, by: owner)
      acknowledged()
      ledger.begin(owner, releasing: name)
      do { try await keeper.release(name, destination: "free", owner: owner) } catch { return }
      ledger.acknowledge(name, "", by: owner)
      acknowledged()
    }
  }

  /// What was acknowledged, and what was asked for and not answered.
  private final class Ledger: Sendable {
    private struct State {
      var owners: [String: String] = [:]
      var count = 0
      var isOver = false
      /// By owner: the resource that is being released, nil when one is being asked for.
      var underWay: [String: String?] = [:]
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }
    var isOver: Bool { state.withLock { $0.isOver } }
    /// Whether this was the first call.
    func end() -> Bool {
      state.withLock { state in
        defer { state.isOver = true }
        return !state.isOver
      }
    }

    func begin(_ owner: String, releasing name: String?) { state.withLock { $0.underWay[owner] = .some(name) } }

    /// The next holder may have been quicker to say so than the one who handed it back.
    func acknowledge(_ name: String, _ owner: String, by client: String) {
      state.withLock { state in
        if !owner.isEmpty || state.owners[name] == client { state.owners[name] = owner }
        state.count += 1
        state.underWay[client] = nil
      }
    }

    /// Whether it may be held by this owner: as acknowledged, or one step of somebody further who has no answer.
    func allows(_ name: String, _ owner: String) -> Bool {
      state.withLock { state in
        let last = state.owners[name] ?? ""
        if owner == last { return true }
        let isReleased = last.isEmpty || state.underWay[last] == .some(.some(name))
        return isReleased && (owner.isEmpty || state.underWay[owner] == .some(nil))
      }
    }
  }
}
