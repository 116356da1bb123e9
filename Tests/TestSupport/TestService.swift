public import HTTPService

/// Runs a test against a server; `port` is its.
public func withService(
  tls: HTTPService.TLS? = nil, _ handler: @escaping HTTPService.Handler, _ test: @Sendable (Int) async throws -> Void
) async throws {
  try await withService(.init(address: "127.0.0.1", port: 0, tls: tls), handler, test)
}

/// The same with bounds of its own.
public func withService(
  _ configuration: HTTPService.Configuration, _ handler: @escaping HTTPService.Handler,
  _ test: @Sendable (Int) async throws -> Void
) async throws {
  let service = try HTTPService(configuration)
  let (ports, ready) = AsyncStream.makeStream(of: Int.self)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      defer { ready.finish() }
      try await service.run(handler) { ready.yield($0) }
    }
    defer { group.cancelAll() }
    for await port in ports {
      try await test(port)
      return
    }
    try await group.next()
  }
}
