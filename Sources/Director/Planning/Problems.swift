import Formats

/// Collects what is wrong, so that one report names it all instead of the first.
final class Problems {
  private(set) var found: [DroverError] = []

  func add(_ message: String, number: Int? = nil) {
    found.append(DroverError(.invalid, message, number: number))
  }

  /// The result, or nil when it threw: then the error is kept.
  func collect<T>(_ work: () throws -> T) -> T? {
    do { return try work() } catch {
      found.append(error as? DroverError ?? DroverError(.invalid, "\(error)"))
      return nil
    }
  }

  /// Throws when something was found: one problem as it is, several as a list under `title`.
  func throwIfAny(_ title: String) throws {
    guard let first = found.first else { return }
    guard found.count > 1 else { throw first }
    let list = found.map { "\n  - " + $0.description.split(separator: "\n").joined(separator: "\n    ") }.joined()
    throw DroverError(first.code, title + list, number: first.number)
  }
}
