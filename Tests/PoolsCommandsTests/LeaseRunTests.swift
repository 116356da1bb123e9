import Glibc
import HTTPService
import PoolsClient
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Pools
@testable import PoolsAPI
@testable import PoolsCommands

/// `drover lease`, against a server of pools in memory.
@Suite struct LeaseRunTests {
  /// What a run said, and the signals it is given.
  private final class Hand: Sendable {
    private let said = Mutex<[String]>([])
    let signals: AsyncStream<Int32>.Continuation
    private let stream: AsyncStream<Int32>
    var words: [String] { said.withLock { $0 } }

    init() { (stream, signals) = AsyncStream<Int32>.makeStream() }

    func say(_ text: String) { said.withLock { $0.append(text) } }

    func next() async -> Int32? {
      for await number in stream { return number }
      return nil
    }
  }

  private func run(
    _ url: String, _ script: String, wait: Duration? = .milliseconds(1), heartbeat: Duration = .seconds(30),
    hand: Hand = Hand(), isToldByTerminal: Bool = false
  ) async throws -> Int32 {
    await LeaseRun(
      client: try poolsClient(url, "me"), type: "t", terms: .init(wait: wait, heartbeat: heartbeat),
      command: ["/bin/sh", "-c", script], surroundings: .system
    ).run(signals: { await hand.next() }, isToldByTerminal: { isToldByTerminal && $0 == SIGINT }, say: { hand.say($0) })
  }

  private func appears(_ path: String) async throws {
    while access(path, F_OK) != 0 { try await Task.sleep(for: .milliseconds(5)) }
  }

  @Test("a command has its lease in its environment and in a file, and its exit code comes home")
  func lease() async throws {
    try await withTemporaryFolder { folder in
      try await withPools([.init(type: "t", names: ["a"])]) { keeper, url in
        _ = try await keeper.acquire(names: ["a"], state: "free", destination: "x", owner: "o")
        try await keeper.update("a", owner: "o", state: "x", userData: ["access-key": "17"])
        try await keeper.release("a", destination: "free", owner: "o")
        let code = try await run(
          url,
          "echo $DROVER_LEASE_NAME $DROVER_LEASE_TYPE $DROVER_LEASE_DATA_ACCESS_KEY >\(folder)/out; "
            + "cat $DROVER_LEASE_FILE >>\(folder)/out; exit 7")
        #expect(code == 7)
        let text = try String(decoding: ResourceFile.read("\(folder)/out", limit: 1 << 16), as: UTF8.self)
        #expect(text.hasPrefix("a t 17\n{\"type\":\"t\",\"name\":\"a\""))
        #expect(await poolStates(keeper, "t") == ["dirty": 1])
        #expect(try await run(url, "true") == LeaseRun.notLeasedCode)
      }
    }
  }

  @Test("a command whose lease is lost is ended, and the exit code says so")
  func lostLease() async throws {
    try await withTemporaryFolder { folder in
      try await withPools([.init(type: "t", names: ["a"])]) { keeper, url in
        async let code = run(
          url, "trap 'echo told >\(folder)/out; exit 0' TERM; echo >\(folder)/up; while :; do sleep 0.05; done",
          heartbeat: .milliseconds(20))
        try await appears("\(folder)/up")
        _ = try await keeper.reset(type: "t", state: "busy", expiry: .seconds(-1), destination: "dirty")
        #expect(try await code == LeaseRun.lostCode)
        #expect(try ResourceFile.read("\(folder)/out", limit: 100) == Array("told\n".utf8))
      }
    }
  }

  @Test("a signal ends the waiting in line, and nothing is leased afterwards")
  func signalInLine() async throws {
    try await withPools([.init(type: "t", names: ["a"])]) { keeper, url in
      _ = try await keeper.acquire(names: ["a"], state: "free", destination: "busy", owner: "other")
      let hand = Hand()
      async let code = run(url, "exit 9", wait: nil, hand: hand)
      while await keeper.waiting == 0 { try await Task.sleep(for: .milliseconds(2)) }
      hand.signals.yield(SIGINT)
      #expect(try await code == 128 + SIGINT)
      #expect(hand.words == ["no longer waiting for a resource of type 't'"])
      try await keeper.release("a", destination: "free", owner: "other")
      #expect(await poolStates(keeper, "t") == ["free": 1])
    }
  }

  @Test("a signal goes to the command, unless the terminal has told it already")
  func signalToCommand() async throws {
    try await withTemporaryFolder { folder in
      for isTold in [false, true] {
        try await withPools([.init(type: "t", names: ["a"])]) { keeper, url in
          let hand = Hand()
          async let code = run(
            url, "trap 'exit 3' INT; trap 'exit 4' HUP; touch \(folder)/\(isTold); while :; do sleep 0.05; done",
            hand: hand, isToldByTerminal: isTold)
          try await appears("\(folder)/\(isTold)")
          hand.signals.yield(SIGINT)
          if isTold { hand.signals.yield(SIGHUP) }
          #expect(try await code == (isTold ? 4 : 3))
          #expect(await poolStates(keeper, "t") == ["dirty": 1])
        }
      }
    }
  }

  @Test("when only handing back fails, the exit code is the command's, and what is left is said")
  func notHandedBack() async throws {
    let refusing = { @Sendable (path: String) -> HTTPReply? in path == "/release" ? .text(500, "no") : nil }
    try await withPools([.init(type: "t", names: ["a"])], answer: refusing) { keeper, url in
      let hand = Hand()
      let code = try await run(url, "exit 5", hand: hand)
      #expect(code == 5)
      #expect(hand.words.count == 1 && hand.words[0].hasPrefix("handing back a: "))
      #expect(await poolStates(keeper, "t") == ["busy": 1])
    }
  }
}
