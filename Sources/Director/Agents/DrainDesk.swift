import AgentProtocol
import Documents
import Formats
import Messaging
import Surroundings
import Synchronization

/// Tells agents how far jobs of other instances are with their drains (`drover-agent wait-drained JOB@GROUP/INDEX`).
///
/// Who asks is known by the subject: the bus lets an agent publish in its own name only. It is told of instances of its
/// own deployment, not of others. Whoever is no instance of ours gets no answer: it may be another director's.
final class DrainDesk: Sendable {
  /// Between two questions of an agent; earlier ones are dropped, and asked again.
  static let pause = Duration.milliseconds(500)
  /// Questions that are being answered at once.
  static let maximumAtOnce = 32
  static let maximumQuestion = 4096

  private struct State {
    var last: [String: Duration] = [:]
    var running = 0
    /// Deployments by agent: an agent never changes its own.
    var deployments: [String: String] = [:]
  }

  private let bus: any MessageBus
  private let agents: AgentBus
  private let records: Records
  private let directorID: String
  private let surroundings: Surroundings
  private let state = Mutex(State())
  private let reader = Mutex<Task<Void, Never>?>(nil)

  /// Begins to listen.
  init(
    bus: any MessageBus, agents: AgentBus, records: Records, directorID: String, surroundings: Surroundings
  ) async throws {
    self.bus = bus
    self.agents = agents
    self.records = records
    self.directorID = directorID
    self.surroundings = surroundings
    let questions = try await bus.subscribe(AgentSubjects.allDrainQuestions)
    reader.withLock { reader in
      reader = surroundings.task { [weak self] in
        while let message = try? await questions.next() { self?.take(message) }
      }
    }
  }

  deinit { close() }

  func close() { reader.withLock { $0?.cancel() } }

  private func take(_ message: BusMessage) {
    let parts = message.subject.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, message.payload.count <= Self.maximumQuestion, parts[3].utf8.count <= 64,
      admit(parts[2])
    else { return }
    surroundings.task { [self] in
      defer { state.withLock { $0.running -= 1 } }
      guard let outcome = await answer(message.payload, asker: parts[2]) else { return }
      // With a place to reply to, as every message of a director has it; nobody waits there.
      let reply = AgentSubjects.reply(directorID: directorID, agentID: parts[2], requestID: parts[3])
      let answer = AgentRequest(.drained, [DrainAnswer(request: parts[3], outcome).value], replyTo: reply)
      try? await bus.publish(AgentSubjects.requests(agentID: parts[2]), answer.bytes)
    }
  }

  private func admit(_ agent: String) -> Bool {
    let now = surroundings.elapsed()
    return state.withLock { state in
      if state.last.count > 1000 { state.last = state.last.filter { now - $0.value < Self.pause } }
      if let last = state.last[agent], now - last < Self.pause { return false }
      guard state.running < Self.maximumAtOnce else { return false }
      state.last[agent] = now
      state.running += 1
      return true
    }
  }

  /// Nil for whom nothing is to be answered.
  private func answer(_ payload: [UInt8], asker: String) async -> DrainAnswer.Outcome? {
    do {
      guard let deployment = try await deployment(of: asker) else { return nil }
      let question: DrainQuestion
      do {
        question = try DrainQuestion(JSON.parse(payload))
      } catch {
        return .refused("\(error)")
      }
      let names = question.instance.split(separator: "/", maxSplits: 1).map(String.init)
      let instance = try await records.instances(of: deployment).first {
        names.count == 2 && $0.group == names[0] && ($0.id == names[1] || String($0.index) == names[1])
      }
      guard let instance else {
        return .refused("deployment '\(deployment)' has no instance '\(question.instance.prefix(200))'")
      }
      guard let vm = instance.vm, vm.cid != nil else { return .gone }
      return await state(of: question.job, vm.agentID, instance.label)
    } catch {
      return .failed("\(error)")
    }
  }

  private func state(of job: String, _ agent: String, _ label: String) async -> DrainAnswer.Outcome {
    do {
      let client = AgentClient(agentID: agent, bus: agents, surroundings: surroundings)
      return .state(try await client.ask(.drainState, [.string(job)], timeout: .seconds(5)), agent: agent)
    } catch let exception as AgentClient.Exception {
      return .refused(
        exception.isUnknownMessage
          ? "the agent of \(label) does not tell how far its jobs are with their drains"
          : "\(label): \(exception.message)")
    } catch {
      return .failed("\(label): \(error)")
    }
  }

  private func deployment(of agent: String) async throws -> String? {
    if let known = state.withLock({ $0.deployments[agent] }) { return known }
    let instance = try await records.instances.list().map(\.body).first { $0.vm?.agentID == agent }
    guard let instance else { return nil }
    state.withLock { state in
      if state.deployments.count > 10_000 { state.deployments = [:] }
      state.deployments[agent] = instance.deployment
    }
    return instance.deployment
  }
}
