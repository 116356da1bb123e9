import Digests
import Formats
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import DirectorAPI

@Suite struct BlobConsoleTests {
  private let headers: HTTPFields = [.authorization: TestDirector.authorization]

  @Test("blobs are put, found, listed and got")
  func roundTrip() async throws {
    try await TestDirector.with { client, _ in
      let id = try await client.execute(
        uri: "/blobs", method: .post, headers: headers, body: ByteBuffer(string: "content")
      ) { response in
        #expect(response.status == .created)
        let blob = try JSON.parse(String(buffer: response.body))
        #expect(blob["size"] == 7)
        #expect(blob["sha1"]?.string == DigestHasher.hex(.sha1, "content"))
        return try #require(blob["id"]?.string)
      }
      try await client.execute(uri: "/blobs/\(id)", method: .head, headers: headers) { response in
        #expect(response.status == .ok && response.headers[.contentLength] == "7")
      }
      try await client.execute(uri: "/blobs/\(id)", method: .get, headers: headers) { response in
        #expect(response.status == .ok && String(buffer: response.body) == "content")
      }
      try await client.execute(uri: "/blobs", method: .get, headers: headers) { response in
        let listing = try JSON.parse(String(buffer: response.body))
        #expect(listing == [["id": .string(id), "size": 7]])
      }
    }
  }

  @Test("what is not there is 404, what is there is not replaced, and ids are checked")
  func refusals() async throws {
    try await TestDirector.with { client, _ in
      func status(_ method: HTTPRequest.Method, _ path: String) async throws -> HTTPResponse.Status {
        try await client.execute(uri: path, method: method, headers: headers, body: ByteBuffer(string: "x")) {
          $0.status
        }
      }
      #expect(try await status(.head, "/blobs/none") == .notFound)
      #expect(try await status(.get, "/blobs/none") == .notFound)
      #expect(try await status(.put, "/blobs/mine") == .created)
      #expect(try await status(.put, "/blobs/mine") == .conflict)
      #expect(try await status(.put, "/blobs/.hidden") == .badRequest)
      try await client.execute(uri: "/blobs", method: .get) { response in #expect(response.status == .unauthorized) }
    }
  }
}
