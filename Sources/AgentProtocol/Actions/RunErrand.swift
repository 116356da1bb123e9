public import Formats

/// The second argument of `run_errand`, an extension of ours; a Go agent ignores it.
public struct ErrandOptions: Sendable, Hashable {
  /// Passed to the errand's script.
  public var arguments: [String]
  /// Added to the script's environment.
  public var environment: [String: String]
  /// How many bytes of each stream are kept from the beginning; with the end of it a quarter more. Nil for all.
  public var outputLimit: Int?
  /// Whether the script may leave an answer in the file that `DROVER_RESULT_FILE` names; it comes with the result.
  public var wantsAnswer: Bool

  public init(
    arguments: [String] = [], environment: [String: String] = [:], outputLimit: Int? = nil, wantsAnswer: Bool = false
  ) {
    self.arguments = arguments
    self.environment = environment
    self.outputLimit = outputLimit
    self.wantsAnswer = wantsAnswer
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "errand options")
    self.init(
      arguments: try reader.strings("arguments"), environment: try reader.stringMap("env"),
      outputLimit: try reader.optionalPositiveInt("output_limit"),
      wantsAnswer: try reader.optionalBool("answer") ?? false)
  }

  public var value: Value {
    var value: ValueObject = ["arguments": Value(arguments), "env": Value(environment)]
    if let outputLimit { value["output_limit"] = .int(outputLimit) }
    if wantsAnswer { value["answer"] = true }
    return .object(value)
  }
}

/// Why the script of an errand did not begin, as agents say it.
public enum ErrandStartFailure: String, Sendable, Hashable, CaseIterable {
  case notFound = "script not found"
  case notExecutable = "script not executable"

  /// Reads what an agent said; nil when it means something else. The Go agent says it in Go's words.
  public init?(exception message: String) {
    guard let reason = Self.reason(in: message) else { return nil }
    func says(_ texts: [String]) -> Bool { texts.contains { reason.contains($0) } }
    if says(["no such file", "interpreter", "not found"]) {
      self = .notFound
    } else if says(Self.refusals) {
      self = .notExecutable
    } else {
      return nil
    }
  }

  /// What was to be run and what was found, of what an agent said, which tells also of actions and tasks; nil when it
  /// means something else.
  public static func reason(in exception: String) -> Substring? {
    exception.firstRange(of: AgentTexts.errandFailed).map { exception[$0.upperBound...] }
  }

  private static let refusals = [
    "not executable", "it is a folder", "permission denied", "exec format error", "neither a program nor a script",
  ]

  /// As container tools have it.
  public var exitCode: Int { self == .notFound ? 127 : 126 }
}

/// The value of `run_errand`. Output that does not fit is head and tail around ``AgentTexts/truncationMark``; the whole
/// of it is read with `read_output`.
public struct ErrandResult: Sendable, Hashable {
  public var stdout: String
  public var stderr: String
  /// 128 + n when signal n killed the script.
  public var exitCode: Int
  /// What the script left in the file of its answer; nil when it was not asked for one, or left none.
  public var answer: [UInt8]?

  public init(stdout: String, stderr: String, exitCode: Int, answer: [UInt8]? = nil) {
    self.stdout = stdout
    self.stderr = stderr
    self.exitCode = exitCode
    self.answer = answer
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "errand result")
    self.init(
      stdout: try reader.optionalString("stdout") ?? "", stderr: try reader.optionalString("stderr") ?? "",
      exitCode: try reader.int("exit_code"), answer: try reader.optionalString("answer").flatMap { Base64.decode($0) })
  }

  public var value: Value {
    var value: ValueObject = [
      "stdout": .string(stdout), "stderr": .string(stderr), "exit_code": .int(exitCode),
    ]
    if let answer { value["answer"] = .string(Base64.encode(answer)) }
    return .object(value)
  }
}
