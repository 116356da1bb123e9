/// One piece of advice, and how to see whether a release follows it.
public struct LintRule: Sendable {
  public let id: String
  public let severity: LintSeverity
  /// The part of the exemplar release's advice that it comes from; `BOSH` for what BOSH itself requires.
  public let topic: Topic
  /// What a release should do.
  public let advice: String
  /// What goes wrong otherwise.
  public let reason: String
  /// What to do in place of what was found.
  public let instead: String
  let check: @Sendable (LintedRelease) -> [LintPlace]

  /// What a rule is about.
  public enum Topic: String, Sendable, Hashable, CaseIterable {
    case order = "Order independence"
    case preStart = "Pre-start"
    case start = "Start"
    case logging = "Logging"
    case postStart = "Post-start and post-deploy"
    case drain = "Drain"
    case stop = "Stop"
    case templates = "Templates and ERB"
    case scripts = "Scripts"
    case monit = "Monit file"
    case errands = "Errands"
    case forwarding = "Exporting logs"
    case release = "Specs and packages"
  }

  /// A rule that looks at one job at a time.
  init(
    _ id: String, _ severity: LintSeverity, _ topic: Topic, _ advice: String, reason: String, instead: String,
    job check: @escaping @Sendable (LintedJob) -> [LintPlace]
  ) {
    self.init(id, severity, topic, advice, reason: reason, instead: instead, release: { $0.jobs.flatMap(check) })
  }

  init(
    _ id: String, _ severity: LintSeverity, _ topic: Topic, _ advice: String, reason: String, instead: String,
    release check: @escaping @Sendable (LintedRelease) -> [LintPlace]
  ) {
    self.id = id
    self.severity = severity
    self.topic = topic
    self.advice = advice
    self.reason = reason
    self.instead = instead
    self.check = check
  }
}

extension LintRule {
  /// Every rule, topic by topic.
  public static let all: [LintRule] = {
    let topics: [[LintRule]] = [
      orderRules, preStartRules, startRules, processRules, loggingRules, postStartRules, drainRules, stopRules,
      templateRules, scriptRules, monitRules, errandRules, forwardingRules, specRules, packageRules,
    ]
    return topics.flatMap { $0 }
  }()

  static func named(_ id: String) -> LintRule? { all.first { $0.id == id } }
}
