import Formats
import Manifests

/// The values that variables have for one deployment.
struct VariableSet: Sendable {
  let scope: VariableScope
  /// Versions by full names. Nil for a deployment from before there were variables: what looks like one in its manifest is
  /// text.
  var ids: [String: String]?
  var values: [String: Value] = [:]

  /// The document with those variables replaced that have a value.
  func filledWhereKnown(_ document: Value) throws -> Value {
    guard ids != nil, !Interpolation.names(in: document).isEmpty else { return document }
    return try Interpolation.fillKnown(document) { values[scope.full($0)] }
  }

  /// The document with all variables replaced.
  ///
  /// - Throws: `notFound` with all that have no value.
  func filled(_ document: Value) throws -> Value {
    guard ids != nil, !Interpolation.names(in: document).isEmpty else { return document }
    do {
      return try Interpolation.fill(document) { values[scope.full($0)] }
    } catch let error as DroverError where error.code == .notFound {
      throw DroverError(
        error.code,
        error.message + "; define them under 'variables', set them with 'drover set-variable', or give them with "
          + "-v NAME=VALUE", number: error.number)
    }
  }
}
