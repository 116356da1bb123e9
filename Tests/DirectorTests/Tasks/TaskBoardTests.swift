import Documents
import Formats
import Logging
import Sealing
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Director

@Suite struct TaskBoardTests {
  @Test(
    "Whoever waits for output hears of the task's end, also when it ends just then", .timeLimit(.minutes(10)))
  func endWhileWaiting() async throws {
    // Time does not pass: only the end of the task can wake those who wait.
    var surroundings = Surroundings.system
    surroundings.sleep = { _ in try await withNoEnd() }
    let board = TaskBoard(
      store: MemoryDocumentStore(), journals: MemoryJournals(), surroundings: surroundings,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await board.register("nothing") { _ in "" }
    var states: [TaskRecord.State] = []
    for _ in 0..<200 {
      let id = try await board.start(
        TaskBoard.Order(type: "nothing", description: "nothing", user: "test", request: [String: String]()))
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask { await board.waitForOutput(of: id, .event, beyond: 1 << 40, atMost: .seconds(1)) }
        }
      }
      states.append(try await board.wait(for: id).state)
    }
    #expect(states == Array(repeating: .done, count: 200))
  }

  @Test(
    "What there is already is told no sooner than the pace, and the end of the task at once", .timeLimit(.minutes(10)),
    arguments: [true, false])
  func pace(endsMeanwhile: Bool) async throws {
    let sleeps = Mutex<[Duration]>([])
    var surroundings = Surroundings.system
    surroundings.elapsed = { .seconds(7) }
    surroundings.sleep = { duration in
      sleeps.withLock { $0.append(duration) }
      // Only the pace is ever over, and not when the end of the task is to come before.
      if duration != .milliseconds(25) || endsMeanwhile { try await withNoEnd() }
    }
    let board = TaskBoard(
      store: MemoryDocumentStore(), journals: MemoryJournals(), surroundings: surroundings,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await board.register("chatty") { context in
      try await context.warn("said")
      try await until { sleeps.withLock { $0.contains(.milliseconds(25)) } }
      if !endsMeanwhile { try await until { context.cancellation.isRequested } }
      return ""
    }
    let id = try await board.start(
      TaskBoard.Order(type: "chatty", description: "chatty", user: "test", request: [String: String]()))
    await board.waitForOutput(of: id, .event, beyond: 0, atMost: .seconds(20), pace: .milliseconds(25))
    #expect(sleeps.withLock { $0.filter { $0 == .milliseconds(25) }.count } == 1)
    #expect(try await board.hasEnded(id) == endsMeanwhile)
    if !endsMeanwhile {
      // Without a pace nothing is waited for.
      await board.waitForOutput(of: id, .event, beyond: 0, atMost: .seconds(20))
      #expect(sleeps.withLock { $0.filter { $0 == .milliseconds(25) }.count } == 1)
      try await board.cancel(id)
    }
    _ = try await board.wait(for: id)
    #expect(try await board.hasEnded(id))
    await #expect(throws: DirectorFailure.self) { try await board.hasEnded(id + 1) }
  }

  @Test("Neither what a task was asked for nor what it decided can be read in the store, and the next server has both")
  func sealed() async throws {
    let driver = MemoryDocumentStore()
    let keys = SealKeys(try #require(SealKey(Array(repeating: 3, count: SealKey.size))), source: "keys")
    func board() -> TaskBoard {
      TaskBoard(
        store: SealedDocumentStore(driver, keys), journals: MemoryJournals(), surroundings: .system,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
    let first = board()
    await first.register("run") { context in
      _ = try await context.once("choice") { "decided-secret" }
      try await withNoEnd()
      return ""
    }
    let id = try await first.start(
      TaskBoard.Order(type: "run", description: "run", user: "test", request: ["TOKEN": "asked-secret"]))
    try await until { try await first.known(task: id, "choice", as: String.self) != nil }
    for kind in ["task", "task-checkpoint"] {
      let bodies = try await driver.list(kind).documents.map { String(decoding: $0.body, as: UTF8.self) }
      #expect(bodies.count == 1)
      #expect(bodies.allSatisfy { $0.contains("sealed:1:\(keys.current.id):") && !$0.contains("secret") }, "\(bodies)")
    }
    await first.stop()
    let second = board()
    await second.register("run") { context in
      let request = try context.request(as: [String: String].self)
      return "\(request["TOKEN"] ?? "") \(try await context.once("choice") { "another" })"
    }
    try await second.resume()
    #expect(try await second.wait(for: id).result == "asked-secret decided-secret")
  }

  @Test("Of each type and user the latest tasks are kept, with what they started; also after a restart")
  func forgets() async throws {
    let store = MemoryDocumentStore()
    let journals = MemoryJournals()
    func board(_ kept: Int) async throws -> TaskBoard {
      let board = TaskBoard(
        store: store, journals: journals, surroundings: .system,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, kept: kept)
      for type in ["a", "b"] { await board.register(type) { _ in "" } }
      try await board.resume()
      return board
    }
    let first = try await board(3)
    func run(_ type: String, _ user: String, parent: Int? = nil, cause: TaskCause? = nil) async throws -> Int {
      var order = try TaskBoard.Order(type: type, description: type, user: user, request: [String: String]())
      order.parent = parent
      order.cause = cause
      let id = try await first.start(order)
      _ = try await first.wait(for: id)
      return id
    }
    var ids: [Int] = []
    for _ in 0..<5 { ids.append(try await run("a", "ann")) }
    let other = try await run("b", "ann")
    let bob = try await run("a", "bob")
    let nightly = TaskCause(.schedule, name: "nightly")
    var scheduled: [Int] = []
    for _ in 0..<4 { scheduled.append(try await run("a", "ann", cause: nightly)) }
    let child = try await run("b", "ann", parent: ids[2])
    let kept = ids[2...] + [other, bob] + scheduled
    try await until { try await first.tasks().map(\.id) == (kept + [child]).sorted(by: >) }
    #expect(try await journals.list(under: "tasks/\(ids[0])").isEmpty)
    #expect(try await !journals.list(under: "tasks/\(ids[2])").isEmpty)
    // One more ends the time of the oldest, and of what it had started.
    ids.append(try await run("a", "ann"))
    let rest = ids[3...] + [other, bob] + scheduled
    try await until { try await first.tasks().map(\.id) == rest.sorted(by: >) }
    let late = try await run("b", "eve", parent: ids[3])
    let second = try await board(1)
    try await until { try await second.tasks().map(\.id) == ([ids[5], other, bob] + scheduled).sorted(by: >) }
    #expect(try await second.find(late) == nil)
  }

  @Test("One whose starter is gone counts for itself")
  func orphans() {
    var history = TaskHistory(limit: 1)
    func record(_ id: Int, parent: Int?) -> TaskRecord {
      var record = TaskRecord(
        id: id, type: "a", description: "", state: .done, user: "ann", createdAt: 0, request: "{}")
      record.parent = parent
      return record
    }
    #expect(history.restore([record(3, parent: 1), record(4, parent: 2), record(5, parent: 4)]) == [3])
    #expect(history.add(record(6, parent: nil)) == [4, 5])
  }

  @Test("The end is told to those who wait, to those who come later, and not to those who were cancelled before")
  func endSignal() async throws {
    let end = EndSignal()
    let cancelled = Task { await end.wait() }
    cancelled.cancel()
    await cancelled.value
    let waiting = (0..<3).map { _ in Task { await end.wait() } }
    end.set()
    for task in waiting { await task.value }
    await end.wait()
  }

  /// Suspends until the task is cancelled.
  private func withNoEnd() async throws {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    defer { continuation.finish() }
    for await _ in stream {}
    throw CancellationError()
  }
}
