internal import Files
internal import Formats
internal import Glibc

/// A folder that is being filled, and goes away again when that fails.
struct Scratch {
  let path: String

  /// - Parameter path: Absolute; nothing may be there yet, its parent must be.
  init(_ path: String) throws {
    self.path = path
    guard mkdir(path, 0o700) == 0 else { throw systemError("making folder '\(path)'") }
  }

  func filling<T>(_ body: (String) throws -> T) throws -> T {
    do {
      return try body(path)
    } catch {
      try? Files.remove(path)
      throw error
    }
  }
}
