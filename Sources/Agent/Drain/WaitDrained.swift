import Files
import Formats
import Glibc
import Processes
import Surroundings

/// `drover-agent wait-drained`: lets a script wait until another job has drained.
struct WaitDrained: Sendable {
  let options: WaitDrainedOptions
  let surroundings: Surroundings

  /// How it came out: an exit code and a sentence.
  struct Result: Sendable, Hashable {
    let code: Int32
    let text: String
  }

  static let timedOut: Int32 = 124
  private static let pause = Duration.milliseconds(100)

  func run() async -> Result {
    do {
      if let instance = options.instance {
        return try await WaitElsewhere.run(options, instance, surroundings: surroundings)
      }
      return try await wait(for: options.job) { try look() }
    } catch {
      return Result(code: 1, text: "\(error)")
    }
  }

  /// Asks until the job has drained, its drain has failed, or the time is over.
  func wait(for name: String, _ look: () async throws -> JobDrain) async throws -> Result {
    let deadline = surroundings.elapsed() + options.timeout
    let first = try await look()
    let wait = DrainWait(first: first)
    var now = first
    while true {
      switch wait.outcome(now) {
      case .drained: return Result(code: 0, text: "job '\(name)' has drained")
      case .failed(let reason): return Result(code: 1, text: "the drain of job '\(name)' failed: \(reason)")
      case nil: break
      }
      let rest = deadline - surroundings.elapsed()
      guard rest > .zero else {
        return Result(
          code: Self.timedOut,
          text: "job '\(name)' has not drained within \(options.timeout.shortText): it is \(now.state.rawValue) since "
            + now.since)
      }
      try await surroundings.sleep(min(rest, Self.pause))
      now = try await look()
    }
  }

  private func look() throws -> JobDrain {
    let path = VMLayout(base: options.baseDirectory).drains
    guard let bytes = try Files.bytes(path) else {
      throw DroverError(.notFound, "there is no \(path): no agent has started jobs on this machine yet")
    }
    let drains = try JobDrains(JSON.parse(bytes))
    guard let drain = drains.jobs[options.job] else { throw drains.unknown(options.job) }
    return drain
  }
}

extension WaitDrained {
  private static func say(_ text: String, to descriptor: Int32) {
    let bytes = Array("\(text)\n".utf8)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
  }

  /// The program: its arguments after `wait-drained` in, the exit code out.
  static func main(_ arguments: [String], surroundings: Surroundings) async -> Int32 {
    let options: WaitDrainedOptions
    do {
      options = try WaitDrainedOptions(arguments)
    } catch {
      say("drover-agent wait-drained: \(error)", to: 2)
      return 2
    }
    if options.showsHelp {
      say(WaitDrainedOptions.usage, to: 1)
      return 0
    }
    let result = await WaitDrained(options: options, surroundings: surroundings).run()
    // On standard error: a drain script's standard output is its answer.
    say("drover-agent wait-drained: \(result.text)", to: 2)
    return result.code
  }
}
