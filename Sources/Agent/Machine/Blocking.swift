import Files

/// Runs work that blocks (unpacking, hashing, copying) apart from the few threads that all tasks share, so that the
/// agent answers while it goes on.
func blocking<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await onDisk(work)
}
