internal import Archives
internal import Formats
internal import Glibc

/// A folder that is being filled, and goes away again when that fails.
struct Scratch {
  let path: String

  /// - Parameter path: Absolute; nothing may be there yet, its parent must be.
  init(_ path: String) throws {
    self.path = path
    guard mkdir(path, 0o700) == 0 else {
      let reason = systemErrorText(errno)
      throw DroverError(errno == EEXIST ? .conflict : .failed, "cannot make the folder \(path): \(reason)")
    }
  }

  func filling<T>(_ body: (String) throws -> T) throws -> T {
    do {
      return try body(path)
    } catch {
      try? Archives.removeTree(path)
      throw error
    }
  }
}
