/// Something did not come to be in any bearable time.
public struct NeverSo: Error, CustomStringConvertible {
  public let description: String
}

/// Waits until something holds; gives up after five minutes, which is no measure of how long it may take.
public func until(
  _ condition: () async throws -> Bool, file: StaticString = #fileID, line: UInt = #line
) async throws {
  let end = ContinuousClock.now + .seconds(300)
  while try await !condition() {
    guard ContinuousClock.now < end else { throw NeverSo(description: "\(file):\(line): not so after five minutes") }
    try await Task.sleep(for: .milliseconds(5))
  }
}
