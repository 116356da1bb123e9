import Glibc
import Processes

/// Finds the process of a `check process … matching`: among those whose command line matches, the one that was known
/// before, or else the one that was started first.
struct ProcessSearch: Sendable, Hashable {
  private let pattern: RegularExpression
  /// The programs of the service. Their paths mostly have its name in them, too.
  private let programs: [[String]]

  init(_ pattern: RegularExpression, _ definition: ServiceDefinition) {
    self.pattern = pattern
    programs = [definition.start, definition.stop].compactMap { $0?.arguments }
  }

  func process(known: ProcessIdentity?) -> ProcessIdentity? {
    if let known, isMeant(known.arguments) { return known }
    let alive = ProcessTable.snapshot().processes.values.filter { $0.isAlive && $0.pid != Int(getpid()) }
      .sorted { ($0.startTicks, $0.pid) < ($1.startTicks, $1.pid) }
      .map { ProcessIdentity(pid: $0.pid, startTicks: $0.startTicks, bootID: ProcessIdentity.currentBootID) }
    return pattern.first(of: alive.lazy.map { ($0, $0.arguments) }.filter { isCandidate($0.1) }) {
      $0.1.joined(separator: " ")
    }?.0
  }

  func isMeant(_ arguments: [String]) -> Bool {
    isCandidate(arguments) && pattern.first(of: [arguments]) { $0.joined(separator: " ") } != nil
  }

  /// Neither a script that starts or stops the service, nor somebody's `monit start …`.
  private func isCandidate(_ arguments: [String]) -> Bool {
    guard let program = arguments.first, program.split(separator: "/").last != "monit" else { return false }
    return !programs.contains { arguments.count > $0.count && arguments.suffix($0.count).elementsEqual($0) }
  }
}
