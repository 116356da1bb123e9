/// Whether a job that somebody waits for has drained, decided from what was first seen of it and what is seen now.
struct DrainWait: Sendable, Hashable {
  enum Outcome: Sendable, Hashable {
    case drained
    case failed(String)
  }

  /// What was seen first.
  let first: JobDrain

  /// Nil while there is something to wait for.
  func outcome(_ now: JobDrain) -> Outcome? {
    // Between two looks it may have drained and been started again.
    if now.drainedAt != first.drainedAt { return .drained }
    switch now.state {
    case .drained: return .drained
    case .failed: return .failed(now.reason ?? "its drain failed")
    case .idle, .draining: return nil
    }
  }
}
