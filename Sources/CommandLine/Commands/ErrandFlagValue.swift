import ArgumentParser
import Formats

/// What stands behind some flags of `run-errand`, as the request has it.
enum ErrandFlagValue {
  /// `KEY=VALUE`: a variable of the script's environment.
  static func variable(_ text: String, of flag: String) throws -> (String, Value) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw ValidationError("\(flag) '\(text)': expected KEY=VALUE")
    }
    return (parts[0], .string(parts[1]))
  }

  /// `GROUP`, `GROUP/ID` or `GROUP/first`.
  static func instance(_ text: String) throws -> Value {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !$0.isEmpty }) else {
      throw ValidationError("--instance '\(text)': expected GROUP, GROUP/INDEX, GROUP/UUID or GROUP/first")
    }
    return ["group": .string(parts[0]), "id": .string(parts.count == 2 ? parts[1] : "")]
  }

  /// `TYPE` or `TYPE:NAME`.
  static func lease(_ text: String) throws -> Value {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !$0.isEmpty }) else {
      throw ValidationError("--lease '\(text)': expected TYPE, or TYPE:NAME")
    }
    return .object(ValueObject(zip(["type", "as"], parts).map { ($0, .string($1)) }))
  }
}
