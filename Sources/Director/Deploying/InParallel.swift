/// Maps with at most so many at once; results are in the order of the elements.
///
/// When one throws, none of those that wait is begun, those that run are awaited, and the first error is thrown: an
/// instance's update is never torn off half-way because another one failed.
func inParallel<Element: Sendable, Result: Sendable>(
  _ elements: [Element], atMost limit: Int, _ transform: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
  var results: [Int: Result] = [:]
  var failure: (any Error)?
  await withTaskGroup(of: (Int, Swift.Result<Result, any Error>).self) { group in
    var next = 0
    func begin() {
      guard next < elements.count, failure == nil else { return }
      let (index, element) = (next, elements[next])
      next += 1
      group.addTask {
        do {
          return (index, .success(try await transform(element)))
        } catch {
          return (index, .failure(error))
        }
      }
    }
    for _ in 0..<max(1, limit) { begin() }
    for await (index, result) in group {
      switch result {
      case .success(let value): results[index] = value
      case .failure(let error): if failure == nil { failure = error }
      }
      begin()
    }
  }
  if let failure { throw failure }
  return elements.indices.compactMap { results[$0] }
}
