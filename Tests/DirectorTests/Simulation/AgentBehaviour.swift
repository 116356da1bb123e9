import Formats
import Synchronization

/// What the agents of a simulation do and have done.
final class AgentBehaviour: Sendable {
  /// A script, or another thing that must happen once, that an agent has run.
  struct Deed: Sendable, Hashable {
    var agent: String
    /// The instance's id as the agent knows it; empty before it was told.
    var instance: String
    var group: String
    var name: String
  }

  private struct State {
    var deeds: [Deed] = []
    var failing: Set<String> = []
    var lines = 3
    var exitCode = 0
    var violations: [String] = []
    var codes: [Int: Int] = [:]
    var endedCode = 143
    var running = 0
    var mostRunning = 0
    var environments: [Value] = []
    var silence = Duration.zero
    var padding = 0
  }

  private let state = Mutex(State())

  var deeds: [Deed] { state.withLock { $0.deeds } }
  var violations: [String] { state.withLock { $0.violations } }
  func note(_ deed: Deed) { state.withLock { $0.deeds.append(deed) } }
  func violation(_ text: String) { state.withLock { $0.violations.append(text) } }
  func forget() { state.withLock { $0.deeds = [] } }
  /// What the scripts of errands were given.
  var errandEnvironments: [Value] { state.withLock { $0.environments } }
  func noteErrand(_ environment: Value) { state.withLock { $0.environments.append(environment) } }

  /// Makes a script fail on all instances of a group: `web pre-start`.
  func fail(_ script: String, _ isFailing: Bool = true) {
    state.withLock { state in
      if isFailing { state.failing.insert(script) } else { state.failing.remove(script) }
    }
  }
  func fails(_ group: String, _ script: String) -> Bool { state.withLock { $0.failing.contains("\(group) \(script)") } }

  /// How errands end that are told to.
  var endedCode: Int {
    get { state.withLock { $0.endedCode } }
    set { state.withLock { $0.endedCode = newValue } }
  }

  /// How errands end instead, by their place in a run on several instances.
  var errandCodes: [Int: Int] {
    get { state.withLock { $0.codes } }
    set { state.withLock { $0.codes = newValue } }
  }

  /// How many errands ran at the same time, at most.
  var mostRunning: Int { state.withLock { $0.mostRunning } }
  var runningNow: Int { state.withLock { $0.running } }

  func begin() {
    state.withLock { state in
      state.running += 1
      state.mostRunning = max(state.mostRunning, state.running)
    }
  }
  func end() { state.withLock { $0.running -= 1 } }

  /// How long errands print nothing before their first line.
  var silence: Duration {
    get { state.withLock { $0.silence } }
    set { state.withLock { $0.silence = newValue } }
  }

  /// How many bytes more than a few the lines of errands have.
  var padding: Int {
    get { state.withLock { $0.padding } }
    set { state.withLock { $0.padding = newValue } }
  }

  /// What errands print, and how they end.
  var errand: (lines: Int, exitCode: Int) {
    get { state.withLock { ($0.lines, $0.exitCode) } }
    set { state.withLock { ($0.lines, $0.exitCode) = newValue } }
  }
}
