import Formats
import Glibc
import GoConventions
import Logging
import Pools
import PoolsProtocol
import ServiceLifecycle
public import Surroundings
import UnixSignals

/// The program `boskos`: a server of pools, with the flags of the original (reference/boskos.md 7).
public enum BoskosProgram {
  static let flags: [GoFlags.Definition] = [
    .init("address", .text, "127.0.0.1", "The address to listen on; 0.0.0.0 listens everywhere"),
    .init("boskos-label-selector", .text, "", "The label selector of boskos pods (Kubernetes storage only)"),
    .init("config", .text, "config.yaml", "Path to the file of resources"),
    .init("data", .text, "boskos.db", "Path to the database; made when it is not there"),
    .init("dynamic-resource-update-period", .duration, "10m0s", "Without effect, as in the original"),
    .init("enable-leader-election", .flag, "false", "Elect a leader among replicas (Kubernetes storage only)"),
    .init("health-port", .integer, "8081", "Port of /healthz"),
    .init("in_memory", .flag, "false", "Keep everything in memory only"),
    .init("kubeconfig", .text, "", "Path of a kubeconfig file (Kubernetes storage only)"),
    .init("leader-label-key", .text, "boskos-leader", "The label of the leading pod (Kubernetes storage only)"),
    .init("log-level", .text, "info", "panic, fatal, error, warning, info, debug or trace"),
    .init("memory-profile-interval", .duration, "30s", "Without effect"),
    .init("metrics-port", .integer, "9090", "Port of /metrics"),
    .init("namespace", .text, "default", "The namespace of the resources (Kubernetes storage only)"),
    .init("pod-name", .text, "", "The name of this pod (Kubernetes storage only)"),
    .init("port", .integer, "8080", "Port of the API"),
    .init("pprof-port", .integer, "6060", "Without effect: there is no profile of Go's to be served"),
    .init("profile-memory-usage", .flag, "false", "Without effect"),
    .init("projected-token-file", .text, "", "Path of a service account's token (Kubernetes storage only)"),
    .init(
      "reaper-expire", .duration, "0s", "Take leases back to dirty after so much silence; 0s leaves it to a reaper"),
    .init("request-ttl", .duration, "30s", "How long a place in the queue is kept for who does not ask again"),
    .init(
      "seal-key", .text, "",
      "Path of a file with the key that user data in the database are sealed with, made when it is not there; without "
        + "it they are in clear"),
    .init(
      "users", .text, "",
      "Path of a file of users, a line USER:PASSWORD[:OWNER,OWNER] each; without it everybody may do everything"),
  ]

  private static let kubernetes = [
    "boskos-label-selector", "enable-leader-election", "kubeconfig", "namespace", "pod-name", "projected-token-file",
  ]

  /// Runs until it is told to stop.
  ///
  /// - Returns: the exit code: 0, 1 when it cannot run, 2 for flags that are not understood.
  public static func run(_ arguments: [String], surroundings: Surroundings) async -> Int32 {
    let flags: GoFlags
    do {
      flags = try GoFlags(arguments, self.flags)
    } catch {
      if case .wrong(let text) = error { say(text + "\n") }
      say(GoFlags.usage("boskos", self.flags))
      return error == .helpWanted ? 0 : 2
    }
    do {
      try await serve(try plan(flags), surroundings)
      return 0
    } catch {
      say("boskos: \(error)\n")
      return 1
    }
  }

  struct Plan: Sendable {
    var configuration: PoolsServer.Configuration
    var level: Logger.Level
  }

  /// What the flags ask for.
  ///
  /// - Throws: ``DroverError`` for what is not there (yet), or has no meaning.
  static func plan(_ flags: GoFlags) throws -> Plan {
    if let flag = kubernetes.first(where: { flags.given.contains($0) && means($0, flags) }) {
      throw DroverError(
        .unsupported,
        "-\(flag) is about resources kept in Kubernetes, which this version does not do; leave it out to keep them in "
          + "the database of -data, or use -in_memory")
    }
    guard let level = Logger.Level(logrus: flags.text("log-level")) else {
      throw DroverError(.invalid, "not a valid logrus Level: \(GoText.quoted(flags.text("log-level")))")
    }
    for port in ["port", "health-port", "metrics-port"] where !(1...65535).contains(flags.int(port)) {
      throw DroverError(.invalid, "-\(port): expected a port from 1 to 65535, found \(flags.text(port))")
    }
    return Plan(
      configuration: .init(
        resources: flags.text("config"), address: flags.text("address"), port: flags.int("port"),
        healthPort: flags.int("health-port"), metricsPort: flags.int("metrics-port"),
        database: flags.isOn("in_memory") ? nil : flags.text("data"),
        sealKeyFile: flags.text("seal-key").isEmpty ? nil : flags.text("seal-key"),
        requestTime: flags.duration("request-ttl"),
        reaperExpiry: flags.duration("reaper-expire") > .zero ? flags.duration("reaper-expire") : nil,
        users: flags.text("users").isEmpty ? nil : flags.text("users")), level: level)
  }

  /// Whether a flag about Kubernetes wants something: the namespace where everything is anyway, or that of what is in
  /// memory, does not.
  private static func means(_ flag: String, _ flags: GoFlags) -> Bool {
    let text = flags.text(flag)
    return flag == "namespace" ? text != "default" && !flags.isOn("in_memory") : text != "false"
  }

  private static func serve(_ plan: Plan, _ surroundings: Surroundings) async throws {
    var logger = Logger(label: "boskos") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = plan.level
    let server = try await PoolsServer.prepare(plan.configuration, surroundings: surroundings, logger: logger)
    var configuration = ServiceGroupConfiguration(
      services: server.services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    try await ServiceGroup(configuration: configuration).run()
    try await server.close()
  }

  private static func say(_ text: String) {
    Array(text.utf8).withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
  }
}
