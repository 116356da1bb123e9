import Blobs
import Director
import Formats
import HTTPTypes
import Hummingbird
import NIOCore

/// `/blobs`: the blobstore for operators, beside what BOSH has (`drover blobs`).
struct BlobConsoleRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/blobs") { _, _ in Response.json(try await director.blobsListing()) }
    router.post("/blobs") { request, _ in
      Response.json(try await director.storeBlob(Upload(request.body), id: nil), .created)
    }
    router.put("/blobs/:id") { request, context in
      let id = try context.parameters.require("id")
      return Response.json(try await director.storeBlob(Upload(request.body), id: id), .created)
    }
    router.head("/blobs/:id") { _, context in
      guard let size = try await director.blobSize(try context.parameters.require("id")) else {
        return Response(status: .notFound)
      }
      return Response(status: .ok, headers: [.contentLength: "\(size)"])
    }
    router.get("/blobs/:id") { _, context in
      let blob = try await director.blob(try context.parameters.require("id"))
      return Response(
        status: .ok, headers: [.contentType: "application/octet-stream"],
        body: ResponseBody(contentLength: Int(blob.size)) { writer in
          for try await bytes in blob.bytes { try await writer.write(ByteBuffer(bytes: bytes)) }
          try await writer.finish(nil)
        })
    }
  }
}
