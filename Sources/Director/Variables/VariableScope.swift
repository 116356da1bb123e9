import Formats

/// Where names of variables count: a name without a slash at its beginning is the deployment's own
/// (`reference/director.md B.7`).
struct VariableScope: Sendable, Hashable {
  let director: String
  let deployment: String

  /// `/DIRECTOR/DEPLOYMENT/NAME`.
  func full(_ name: String) -> String { name.hasPrefix("/") ? name : "/\(director)/\(deployment)/\(name)" }

  private static let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./".utf8)

  /// The name of the document of a variable.
  ///
  /// - Throws: `invalid` when that is no full name of a variable.
  static func document(_ name: String) throws -> String {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard name.hasPrefix("/"), parts.count > 1, !parts.dropFirst().contains(""), name.utf8.count <= 500,
      name.utf8.allSatisfy(allowed.contains)
    else {
      throw DroverError(
        .invalid,
        "variable '\(name)': expected a name like /DIRECTOR/DEPLOYMENT/NAME of letters, digits, '_', '-' and '.'")
    }
    return String(name.dropFirst())
  }
}
