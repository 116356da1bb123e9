import Glibc
import Messaging
import TestSupport
import Testing

@testable import struct Messaging.NATSProcess

/// A nats-server without TLS and permissions, with more lines of configuration if wanted; killed at the end.
func withPlainServer(_ lines: String = "", port: Int? = nil, _ body: (String) async throws -> Void) async throws {
  try await withDirectory { directory in
    let port = try port ?? freePort()
    let process = try startPlainServer(lines, port: port, directory: directory)
    do {
      try await body("nats://127.0.0.1:\(port)")
    } catch {
      process.signal(SIGKILL)
      await process.waitForExit()
      throw error
    }
    process.signal(SIGKILL)
    await process.waitForExit()
  }
}

func startPlainServer(_ lines: String, port: Int, directory: String) throws -> NATSProcess {
  let path = "\(directory)/plain.conf"
  let file = try #require(fopen(path, "w"))
  fputs("listen: \"127.0.0.1:\(port)\"\n\(lines)\n", file)
  fclose(file)
  return try NATSProcess(["nats-server", "-c", path], log: "\(directory)/plain.log")
}
