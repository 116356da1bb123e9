import Glibc
import PoolsControl
import Processes
import Surroundings
import Synchronization

/// Ctrl-C, noticed by a handler that sets a flag, and a task that looks at it.
let isInterrupted = Atomic<Bool>(false)
signal(SIGINT) { _ in isInterrupted.store(true, ordering: .relaxed) }

func say(_ descriptor: Int32, _ line: String) {
  Array((line + "\n").utf8).withUnsafeBytes { _ = write(descriptor, $0.baseAddress, $0.count) }
}

ProgramStart.run {
  await Boskosctl(
    surroundings: .system, output: .init(standard: { say(1, $0) }, error: { say(2, $0) })
  ).run(Array(CommandLine.arguments.dropFirst())) {
    while !isInterrupted.load(ordering: .relaxed), !Task.isCancelled {
      try? await Surroundings.system.sleep(.milliseconds(50))
    }
  }
}
