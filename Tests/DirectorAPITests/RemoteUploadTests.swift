import Blobs
import Digests
import Director
import Files
import Formats
import Glibc
import HTTPService
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import DirectorAPI

/// Releases and stemcells that the director fetches itself.
@Suite struct RemoteUploadTests {
  private let headers: HTTPFields = [.authorization: TestDirector.authorization, .contentType: "application/json"]

  /// A director that does not pause between tries, and the folder that it puts uploads into.
  private func withDirector(
    _ body: @escaping @Sendable (any TestClientProtocol, Director, String) async throws -> Void
  ) async throws {
    var surroundings = Surroundings.system
    surroundings.sleep = { _ in try Task.checkCancellation() }
    try await withTemporaryFolder { [surroundings] folder in
      try await TestDirector.with(surroundings: surroundings, workDirectory: folder) { try await body($0, $1, folder) }
    }
  }

  /// Asks for an upload, and waits for what comes of it.
  private func upload(
    _ order: Value, to path: String = "/releases?", _ client: any TestClientProtocol, _ director: Director
  ) async throws -> TaskRecord {
    try await director.tasks.wait(for: try await start(order, to: path, client))
  }

  private func start(_ order: Value, to path: String, _ client: any TestClientProtocol) async throws -> Int {
    let location = try await client.execute(
      uri: path, method: .post, headers: headers, body: ByteBuffer(string: JSON.text(order))
    ) { response in
      #expect(response.status == .found)
      return response.headers[.location] ?? ""
    }
    return try #require(Int(location.split(separator: "/").last ?? ""))
  }

  @Test("a release at an address is fetched, over redirects and with a name and password, and read")
  func release() async throws {
    let tarball = try await withTemporaryFolder { try await TestRelease.tarball(in: $0) }
    let asked = Mutex<[String]>([])
    try await withService { request, _ in
      asked.withLock { $0.append("\(request.target) \(request.header("Authorization") ?? "-")") }
      return request.path == "/moved" ? HTTPReply(302).with("Location", "/there?key=k") : HTTPReply(200, tarball)
    } _: { port in
      try await withDirector { client, director, folder in
        let digest = "sha256:" + DigestHasher.hex(.sha256, tarball)
        let order: Value = [
          "location": .string("http://us%40er:pass@127.0.0.1:\(port)/moved"), "sha1": .string(digest),
        ]
        let record = try await upload(order, client, director)
        #expect(record.state == .done && record.result == "Created release 'half/1'", "\(record.result ?? "")")
        let authorization = "Basic " + Base64.encode(Array("us@er:pass".utf8))
        #expect(asked.withLock { $0 } == ["/moved \(authorization)", "/there?key=k \(authorization)"])
        #expect(try await director.releasesListing().array?.count == 1)
        let events = try await client.execute(
          uri: "/tasks/\(record.id)/output?type=event", method: .get, headers: headers
        ) { String(buffer: $0.body) }
        #expect(events.contains(#""stage":"Downloading remote release""#) && !events.contains("pass"))
        #expect(try Files.names(in: folder) == [])
        // The same once more: what is there is there.
        #expect(try await upload(order, client, director).state == .done)
      }
    }
  }

  @Test(
    "what cannot be fetched, or is something else, ends the task with an error, and leaves nothing",
    arguments: [
      ("/missing", nil, "the server answered 404 Not Found", 1), ("/broken", nil, "the server answered 503", 3),
      ("/release", "sha256:" + String(repeating: "0", count: 64), "tried 3 times", 3),
      ("/text", nil, "the uploaded file", 1),
    ] as [(String, String?, String, Int)])
  func failures(path: String, digest: String?, text: String, tries: Int) async throws {
    let tarball = try await withTemporaryFolder { try await TestRelease.tarball(in: $0) }
    let asked = Mutex(0)
    try await withService { request, _ in
      asked.withLock { $0 += 1 }
      switch request.path {
      case "/missing": return .text(404, "no")
      case "/broken": return .text(503, "no")
      case "/text": return .text(200, "no tarball")
      default: return HTTPReply(200, tarball)
      }
    } _: { port in
      for kind in ["releases", "stemcells"] {
        asked.withLock { $0 = 0 }
        try await withDirector { client, director, folder in
          var order: ValueObject = ["location": .string("http://127.0.0.1:\(port)\(path)?signature=s3cret")]
          order["sha1"] = digest.map { .string($0) }
          let record = try await upload(.object(order), to: "/\(kind)?", client, director)
          #expect(record.state == .error && record.result?.contains(text) == true, "\(record.result ?? "")")
          #expect(record.result?.contains("s3cret") == false)
          #expect(asked.withLock { $0 } == tries)
          #expect(try await director.releasesListing() == [])
          #expect(try Files.names(in: folder) == [])
        }
      }
    }
  }

  @Test(
    "a download that the disk has no room for ends the task, says why, and leaves nothing",
    .enabled(if: getuid() == 0, "needs root: it mounts a small disk"))
  func fullDisk() async throws {
    try await withService { _, _ in
      HTTPReply(200, [UInt8](repeating: 7, count: 4 << 20))
    } _: { port in
      try await withSmallDisk(kilobytes: 512) { disk in
        try await TestDirector.with(workDirectory: disk) { client, director in
          let record = try await upload(["location": .string("http://127.0.0.1:\(port)/x")], client, director)
          #expect(record.state == .error)
          #expect(record.result?.contains("No space left on device") == true, "\(record.result ?? "")")
          #expect(try Files.names(in: disk) == [])
        }
      }
    }
  }

  @Test("a download ends when its task is cancelled")
  func cancelled() async throws {
    let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
    try await withService { _, _ in
      beginning.yield()
      try? await Task.sleep(for: .seconds(3600))
      return HTTPReply(200)
    } _: { port in
      try await withDirector { client, director, folder in
        let id = try await start(["location": .string("http://127.0.0.1:\(port)/x")], to: "/stemcells?", client)
        for await _ in begun { break }
        try await client.execute(uri: "/task/\(id)", method: .delete, headers: headers) {
          #expect($0.status == .noContent)
        }
        #expect(try await director.tasks.wait(for: id).state == .cancelled)
        #expect(try Files.names(in: folder) == [])
      }
    }
  }

  @Test(
    "an address that cannot be one, or a digest that is none, is refused before there is a task",
    arguments: [
      #"{"location":"file:///etc/passwd"}"#, #"{"location":"/etc/passwd"}"#, #"{"location":"https://"}"#,
      #"{"location":"http://a b/"}"#, #"{}"#, "[]", #"{"location":"https://x/y","sha1":"crc32:1"}"#,
    ])
  func refused(order: String) async throws {
    try await TestDirector.with { client, director in
      for path in ["/releases?", "/stemcells?"] {
        try await client.execute(uri: path, method: .post, headers: headers, body: ByteBuffer(string: order)) {
          #expect($0.status == .badRequest, "\(String(buffer: $0.body))")
        }
      }
      #expect(try await director.tasks.tasks { _ in true }.isEmpty)
    }
  }
}
