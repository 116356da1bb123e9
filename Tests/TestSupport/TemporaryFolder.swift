import Files
import Glibc

/// Runs a test with a new folder of its own, which is removed afterwards, whatever happens.
public func withTemporaryFolder<Result>(
  isolation: isolated (any Actor)? = #isolation, _ work: (String) async throws -> Result
) async throws -> Result {
  var template = Array("/tmp/drover-test-XXXXXX".utf8CString)
  guard let made = mkdtemp(&template) else { throw NoTemporaryFolder(reason: String(cString: strerror(errno))) }
  let path = String(cString: made)
  defer { try? Files.remove(path) }
  return try await work(path)
}

struct NoTemporaryFolder: Error {
  let reason: String
}
