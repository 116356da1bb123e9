import ArgumentParser

/// What Ctrl-C does to an errand that is followed.
enum OnInterrupt: String, ExpressibleByArgument, CaseIterable {
  case ask, detach, cancel
}

/// What is done when a command that follows an errand is interrupted.
struct InterruptionPlan {
  enum Step: Equatable {
    /// Says how to go on; detaches unless another interruption comes soon.
    case detachSoon
    case detach
    case cancel
  }

  let mode: OnInterrupt
  private var count = 0

  init(_ mode: OnInterrupt) { self.mode = mode }

  /// What the next interruption means. Whoever interrupts once more after asking for the end is let go.
  mutating func interrupted() -> Step {
    count += 1
    return switch (mode, count) {
    case (.detach, _), (.cancel, 2...), (.ask, 3...): .detach
    case (.ask, 1): .detachSoon
    case (.cancel, _), (.ask, _): .cancel
    }
  }
}
