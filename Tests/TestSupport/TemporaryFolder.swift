import Files

/// Runs a test with a new folder of its own, which is removed afterwards, whatever happens.
public func withTemporaryFolder<Result>(
  isolation: isolated (any Actor)? = #isolation, _ work: (String) async throws -> Result
) async throws -> Result {
  let path = try Files.makeTemporaryFolder("drover-test")
  defer { try? Files.remove(path) }
  return try await work(path)
}
