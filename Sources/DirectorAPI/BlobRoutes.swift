import Blobs
import Formats
import HTTPTypes
import Hummingbird
import NIOCore
import Surroundings

/// `/signed/<folder>/<id>`: who has a signed address may do with that blob what it says, for some time.
struct BlobRoutes: Sendable {
  /// The most bytes that an agent may send: a compiled package or logs.
  static let uploadLimit: Int64 = 8 << 30

  let blobs: any BlobStore
  let signer: SignedURL
  let surroundings: Surroundings

  func add(to router: Router<BasicRequestContext>) {
    let path: RouterPath = "/signed/:folder/:id"
    router.get(path) { request, context in
      let id = try verify(request, context, "GET")
      return Response(
        status: .ok, headers: [.contentType: "application/octet-stream"],
        body: try await body(of: id))
    }
    router.head(path) { request, context in
      let id = try verify(request, context, "HEAD")
      guard let size = try await blobs.size(id) else { return Response(status: .notFound) }
      return Response(status: .ok, headers: [.contentLength: "\(size)"])
    }
    router.put(path) { request, context in
      let id = try verify(request, context, "PUT")
      _ = try await blobs.put(Upload(request.body), id: id, limit: Self.uploadLimit)
      return Response(status: .created)
    }
  }

  private func verify(_ request: Request, _ context: BasicRequestContext, _ verb: String) throws -> String {
    do {
      return try signer.verify(
        verb, folder: try context.parameters.require("folder"), id: try context.parameters.require("id"),
        parameters: (request.query("st"), request.query("ts"), request.query("e")), now: surroundings.now())
    } catch let error as DroverError where error.code == .forbidden {
      throw HTTPError(.forbidden, message: error.description)
    }
  }

  private func body(of id: String) async throws -> ResponseBody {
    guard let size = try await blobs.size(id) else { throw HTTPError(.notFound, message: "no blob '\(id)'") }
    let bytes = try await blobs.read(id, range: nil)
    return ResponseBody(contentLength: Int(size)) { writer in
      for try await chunk in bytes { try await writer.write(ByteBuffer(bytes: chunk)) }
      try await writer.finish(nil)
    }
  }
}
