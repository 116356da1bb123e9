import Formats
import Manifests

/// The values that variables have for one deployment.
struct VariableSet: Sendable {
  let scope: VariableScope
  /// Versions by full names. Nil for a deployment from before there were variables: what looks like one in its manifest is
  /// text.
  var ids: [String: String]?
  var values: [String: Value] = [:]

  /// The names that the set says a version of, and that have no value any more.
  var lost: [String] { (ids ?? [:]).keys.filter { values[$0] == nil }.sorted() }

  mutating func take(_ name: String, _ id: String, _ value: Value) {
    ids?[name] = id
    values[name] = value
  }

  /// The document with those variables replaced that have a value.
  func filledWhereKnown(_ document: Value) -> Value {
    guard ids != nil, !Interpolation.names(in: document).isEmpty else { return document }
    return Interpolation.fillKnown(document) { values[scope.full($0)] }
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

/// A set as a deploy keeps it, sealed, until it is through: whatever becomes of the variables meanwhile.
struct PinnedVariables: Codable, Sendable {
  var ids: [String: String]?
  /// As JSON.
  var values: String

  init(_ set: VariableSet) {
    ids = set.ids
    values = JSON.text(.object(ValueObject(set.values.map { ($0.key, $0.value) })))
  }

  func set(_ scope: VariableScope) throws -> VariableSet {
    VariableSet(
      scope: scope, ids: ids,
      values: Dictionary(
        (try JSON.parse(values).object ?? [:]).map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }))
  }
}
