import Director
import Messaging
import ServiceLifecycle
import Templates

/// Keeps the nats-server running, if it is ours. It outlives us; only our connection to it ends.
struct NATSService: Service {
  let server: NATSServer?
  let bus: NATSConnection

  func run() async throws {
    if let server {
      await cancelWhenGracefulShutdown { try? await server.run() }
    } else {
      try? await gracefulShutdown()
    }
    await bus.close()
  }
}

/// Takes up what the last server left, and stops the tasks' work at the end, so that the next one can take it up.
struct DirectorService: Service {
  let director: Director
  let renderer: RubyRenderer
  /// Done while the director runs, if anything is.
  let besides: (@Sendable () async -> Void)?

  func run() async throws {
    try await director.start()
    if let besides {
      await cancelWhenGracefulShutdown { await besides() }
    } else {
      try? await gracefulShutdown()
    }
    await director.stop()
    await renderer.shutdown()
  }
}
