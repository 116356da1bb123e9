import Documents
import Formats
import Logging
import Surroundings
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
