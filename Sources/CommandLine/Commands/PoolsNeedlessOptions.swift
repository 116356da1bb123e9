import ArgumentParser
import Logging

/// Flags of the originals' services that have nothing to say here: where Kubernetes keeps resources, as only the server's
/// API is asked, and what Go's runtime shows of itself.
struct PoolsNeedlessOptions: ParsableArguments {
  @Option(help: .hidden) var namespace: String?
  @Option(help: .hidden) var kubeconfig: String?
  @Option(help: .hidden) var projectedTokenFile: String?
  @Flag(name: .customLong("in_memory"), help: .hidden) var inMemory = false
  @Flag(help: .hidden) var useV2Implementation = false
  @Option(help: .hidden) var healthPort: Int?
  @Option(help: .hidden) var pprofPort: Int?
  @Flag(help: .hidden) var profileMemoryUsage = false
  @Option(help: .hidden) var memoryProfileInterval: String?

  /// Those that were given, in the log.
  func tell(_ logger: Logger) {
    let given: [(String, Bool)] = [
      ("namespace", namespace != nil), ("kubeconfig", kubeconfig != nil),
      ("projected-token-file", projectedTokenFile != nil), ("in_memory", inMemory),
      ("use-v2-implementation", useV2Implementation), ("health-port", healthPort != nil),
      ("pprof-port", pprofPort != nil), ("profile-memory-usage", profileMemoryUsage),
      ("memory-profile-interval", memoryProfileInterval != nil),
    ]
    let names = given.filter(\.1).map { "--" + $0.0 }
    guard !names.isEmpty else { return }
    logger.info("without effect here, where resources are the server's", metadata: ["flags": "\(names)"])
  }
}
