import Formats

/// What became of a script in all jobs, in the words of `reference/lifecycle.md 1.2`.
struct LifecycleSummary: Sendable, Hashable {
  struct Result: Sendable, Hashable {
    let job: String
    /// Nil when it went well.
    let failure: String?
  }

  let name: String
  /// In the order in which the scripts ended.
  let results: [Result]

  /// - Throws: when a script failed: the summary, and as its cause how each ended.
  func check() throws {
    let failed = results.filter { $0.failure != nil }
    guard !failed.isEmpty else { return }
    let succeeded = results.filter { $0.failure == nil }.map(\.job)
    var text = "\(failed.count) of \(results.count) \(name) scripts failed."
    text += " Failed Jobs: \(failed.map(\.job).joined(separator: ", "))."
    if !succeeded.isEmpty { text += " Successful Jobs: \(succeeded.joined(separator: ", "))." }
    let reasons = failed.map { "\($0.job): \($0.failure ?? "")" }.joined(separator: "; ")
    throw DroverError(.failed, text, cause: DroverError(.failed, reasons))
  }
}

/// What all lifecycle scripts have in common.
enum LifecycleNames {
  static let path = "/usr/sbin:/usr/bin:/sbin:/bin"

  /// The agent's environment with a fixed PATH, and what the action adds. Where shared libraries of the agent lie is
  /// none of a script's business.
  static func environment(_ base: [String: String], _ extra: [String: String]) -> [String: String] {
    var variables = base
    variables["LD_LIBRARY_PATH"] = nil
    variables["PATH"] = path
    return variables.merging(extra) { _, new in new }
  }

  /// Names come in messages and become paths.
  static func check(script: String, jobs: [String]) throws {
    for name in [script] + jobs {
      let allowed = name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
      guard allowed, !name.isEmpty, !name.hasPrefix(".") else {
        throw DroverError(
          .invalid, "a script or job name is made of letters, digits, '-', '_' and '.': found '\(name)'")
      }
    }
  }
}
