import Blobs
import Digests
import Files
import Formats
import Glibc
import Surroundings
import Synchronization
import TestSupport
import Testing

@Suite("BlobTransfer") struct BlobTransferTests {
  /// What a test works with: the peer, a client that trusts it, a folder, and the pauses that were taken.
  struct Bench: Sendable {
    let peer: PeerServer
    let transfer: BlobTransfer
    let folder: String
    let pauses: Pauses

    /// Puts a file where the peer serves it.
    func serve(_ name: String, _ bytes: [UInt8]) throws {
      try OpenFile(creating: "\(peer.folder)/\(name)", mode: 0o600).write(bytes)
    }

    func content(_ path: String) throws -> [UInt8] {
      let file = try OpenFile(reading: path)
      return try file.read(Int(file.size()), at: 0)
    }

    /// How often the peer was asked for a path.
    func tries(_ path: String) async throws -> String {
      try await transfer.fetch("\(peer.url)/tries/x?\(path)", digest: nil, to: "\(folder)/tries")
      return String(decoding: try content("\(folder)/tries"), as: UTF8.self)
    }
  }

  final class Pauses: Sendable {
    let taken = Mutex<[Duration]>([])
    var all: [Duration] { taken.withLock { $0 } }
  }

  private func withBench(_ test: (Bench) async throws -> Void) async throws {
    try await PeerServer.with { peer in
      try await withTemporaryFolder { folder in
        let pauses = Pauses()
        var surroundings = Surroundings.system
        surroundings.sleep = { duration in pauses.taken.withLock { $0.append(duration) } }
        let transfer = try BlobTransfer(caPEM: peer.caPEM, surroundings: surroundings)
        do {
          try await test(Bench(peer: peer, transfer: transfer, folder: folder, pauses: pauses))
        } catch {
          try await transfer.shutdown()
          throw error
        }
        try await transfer.shutdown()
      }
    }
  }

  private let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
  private var digest: MultiDigest { MultiDigest(.sha256, hex: DigestHasher.hex(.sha256, bytes)) }

  @Test("a blob is fetched over TLS, its digest checked, and appears with its mode")
  func fetch() async throws {
    try await withBench { bench in
      try bench.serve("blob", bytes)
      let path = "\(bench.folder)/blob"
      let file = try await bench.transfer.fetch(
        "\(bench.peer.url)/files/blob?st=secret", digest: digest, to: path, mode: 0o640, limit: 700_000)
      #expect(file.size == 700_000)
      #expect(try bench.content(path) == bytes)
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o640)
      #expect(bench.pauses.all == [])
    }
  }

  @Test("headers are sent")
  func headers() async throws {
    try await withBench { bench in
      let path = "\(bench.folder)/blob"
      try await bench.transfer.fetch("\(bench.peer.url)/headers/x", headers: ["X-Token": "abc"], digest: nil, to: path)
      #expect(try bench.content(path) == Array("abc".utf8))
    }
  }

  @Test("a server that is not ready, or bytes that were damaged, are tried again after a pause")
  func retries() async throws {
    try await withBench { bench in
      try bench.serve("blob", bytes)
      for (kind, pauses) in [("busy", 2), ("damaged", 1)] {
        bench.pauses.taken.withLock { $0 = [] }
        let path = "\(bench.folder)/\(kind)"
        try await bench.transfer.fetch("\(bench.peer.url)/\(kind)/blob", digest: digest, to: path)
        #expect(try bench.content(path) == bytes)
        #expect(bench.pauses.all == Array(repeating: .seconds(5), count: pauses))
      }
    }
  }

  @Test("a wrong digest leaves no file, and is told after three tries")
  func wrongDigest() async throws {
    try await withBench { bench in
      try bench.serve("blob", [1, 2, 3])
      let error = await #expect(throws: DroverError.self) {
        try await bench.transfer.fetch(
          "\(bench.peer.url)/files/blob?st=secret", digest: digest, to: "\(bench.folder)/blob")
      }
      #expect(error?.code == .corrupt)
      #expect(
        error?.description
          == "fetching \(bench.peer.url)/files/blob, tried 3 times: Expected stream to have digest '\(digest)' but was "
          + "'sha256:039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81'")
      #expect(try Files.names(in: bench.folder) == [])
      #expect(try await bench.tries("files/blob?st=secret") == "3")
    }
  }

  @Test("an answer that ends too early leaves no file")
  func cut() async throws {
    try await withBench { bench in
      try bench.serve("blob", bytes)
      let error = await #expect(throws: DroverError.self) {
        try await bench.transfer.fetch("\(bench.peer.url)/cut/blob", digest: nil, to: "\(bench.folder)/blob")
      }
      #expect(error?.code == .unavailable)
      #expect(try Files.names(in: bench.folder) == [])
      #expect(bench.pauses.all.count == 2)
    }
  }

  @Test(
    "what will not change is not tried again", arguments: [(404, "not_found"), (403, "forbidden"), (400, "failed")])
  func final(_ status: Int, _ code: String) async throws {
    try await withBench { bench in
      let error = await #expect(throws: DroverError.self) {
        try await bench.transfer.fetch("\(bench.peer.url)/status/\(status)", digest: nil, to: "\(bench.folder)/blob")
      }
      #expect(error?.code.description == code)
      #expect(bench.pauses.all == [])
      let names = try Files.names(in: bench.folder)
      #expect(names == [])
    }
  }

  @Test("more bytes than allowed are refused, said ahead or not", arguments: ["files", "endless"])
  func limits(_ kind: String) async throws {
    try await withBench { bench in
      try bench.serve("blob", bytes)
      let error = await #expect(throws: DroverError.self) {
        try await bench.transfer.fetch(
          "\(bench.peer.url)/\(kind)/blob", digest: nil, to: "\(bench.folder)/blob", limit: 699_999)
      }
      #expect(error?.code == .tooLarge)
      #expect(try Files.names(in: bench.folder) == [])
    }
  }

  @Test("a file is put, again when the server was not ready, and its digests are told")
  func put() async throws {
    try await withBench { bench in
      let path = "\(bench.folder)/logs.tgz"
      try OpenFile(creating: path, mode: 0o600).write(bytes)
      for kind in ["files", "busy"] {
        let stored = try await bench.transfer.put(path, to: "\(bench.peer.url)/\(kind)/\(kind)-copy")
        #expect(stored.size == 700_000)
        try digest.verify(stored.digest)
        #expect(try bench.content("\(bench.peer.folder)/\(kind)-copy") == bytes)
      }
      #expect(bench.pauses.all.count == 2)
      let error = await #expect(throws: DroverError.self) {
        try await bench.transfer.put(path, to: "\(bench.peer.url)/status/403")
      }
      #expect(error?.code == .forbidden)
      let missing = await #expect(throws: DroverError.self) {
        try await bench.transfer.put("\(bench.folder)/none", to: "\(bench.peer.url)/files/none")
      }
      #expect(missing?.code == .notFound)
    }
  }

  @Test("a server that another authority vouches for is not trusted")
  func untrusted() async throws {
    try await withBench { bench in
      try await PeerServer.with { other in
        try bench.serve("blob", bytes)
        let stranger = try BlobTransfer(caPEM: other.caPEM, surroundings: bench.transferSurroundings)
        let error = await #expect(throws: DroverError.self) {
          try await stranger.fetch("\(bench.peer.url)/files/blob", digest: nil, to: "\(bench.folder)/blob")
        }
        try await stranger.shutdown()
        #expect(error?.code == .unavailable)
        #expect(error?.description.hasSuffix("its certificate is from an unknown authority") == true, "\(error as Any)")
        #expect(try Files.names(in: bench.folder) == [])
      }
    }
  }

  @Test("a cancelled transfer ends at once and leaves nothing")
  func cancelled() async throws {
    try await withBench { bench in
      let running = Task {
        try await bench.transfer.fetch("\(bench.peer.url)/endless/x", digest: nil, to: "\(bench.folder)/blob")
      }
      while try !Self.isWriting(in: bench.folder) { try await Task.sleep(for: .milliseconds(2)) }
      running.cancel()
      await #expect(throws: (any Error).self) { try await running.value }
      #expect(try Files.names(in: bench.folder) == [])
    }
  }

  /// Whether this process has a file in a folder open, be it one without a name.
  private static func isWriting(in folder: String) throws -> Bool {
    try Files.names(in: "/proc/self/fd").contains { name in
      try Files.linkText("/proc/self/fd/\(name)")?.hasPrefix("\(folder)/") ?? false
    }
  }

  @Test("certificates that are none are refused")
  func badCertificates() {
    let error = #expect(throws: DroverError.self) { try BlobTransfer(caPEM: "nonsense", surroundings: .system) }
    #expect(error?.code == .invalid)
  }
}

extension BlobTransferTests.Bench {
  var transferSurroundings: Surroundings {
    var surroundings = Surroundings.system
    surroundings.sleep = { _ in }
    return surroundings
  }
}
