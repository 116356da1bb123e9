import Blobs
import Director
import Formats
import HTTPTypes
import Hummingbird
import NIOCore

/// `/releases`, `/packages`, `/stemcells` and `/resources` (reference/director.md A.4).
struct ArtifactRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/releases") { _, _ in Response.json(try await director.releasesListing()) }
    router.get("/releases/:name") { request, context in
      let name = try context.named("name")
      guard let version = request.query("version") else {
        return Response.json(try await director.releaseVersions(name))
      }
      return Response.json(try await director.releaseDescription(name, version))
    }
    router.post("/releases") { request, context in
      let (rebase, fix) = (request.flag("rebase"), request.flag("fix"))
      if let remote = try await remoteFile(request) {
        return Response.task(
          try await director.fetchRelease(remote, rebase: rebase, fix: fix, user: context.userName))
      }
      return Response.task(
        try await director.uploadRelease(
          Upload(request.body), rebase: rebase, fix: fix, digest: request.query("sha1"), user: context.userName))
    }
    router.delete("/releases/:name") { request, context in
      Response.task(
        try await director.deleteRelease(
          try context.named("name"), version: request.query("version"), user: context.userName))
    }
    router.post("/packages/matches") { request, _ in
      Response.json(Value(try await director.knownPackages(releaseManifest: try await request.bodyText())))
    }
    router.post("/packages/matches_compiled") { _, _ in Response.json([]) }
    router.get("/stemcells") { _, _ in Response.json(try await director.stemcellsListing()) }
    router.post("/stemcell_uploads") { request, _ in
      let stemcell = try await request.bodyFields().reader("stemcell")
      let name = try stemcell.optionalString("name") ?? ""
      let version = try stemcell.optionalScalarText("version") ?? ""
      return Response.json(["needed": .bool(try await director.needsStemcell(name, version))])
    }
    router.post("/stemcells") { request, context in
      if let remote = try await remoteFile(request) {
        return Response.task(
          try await director.fetchStemcell(remote, fix: request.flag("fix"), user: context.userName))
      }
      return Response.task(
        try await director.uploadStemcell(Upload(request.body), fix: request.flag("fix"), user: context.userName))
    }
    router.delete("/stemcells/:name/:version") { _, context in
      Response.task(
        try await director.deleteStemcell(
          try context.named("name"), try context.named("version"), user: context.userName))
    }
    router.get("/resources/:id") { _, context in
      let id = try context.parameters.require("id")
      let blob = try await director.blob(id)
      return Response(
        status: .ok, headers: [.contentType: "application/x-gzip"],
        body: ResponseBody(contentLength: Int(blob.size)) { writer in
          for try await bytes in blob.bytes { try await writer.write(ByteBuffer(bytes: bytes)) }
          try await writer.finish(nil)
        })
    }
  }

  /// Where the body says that the file is to be fetched from; nil when the body is the file.
  private func remoteFile(_ request: Request) async throws -> RemoteFile? {
    guard request.isJSON else { return nil }
    let fields = try await request.bodyFields()
    return try RemoteFile(location: try fields.string("location"), digest: try fields.optionalString("sha1"))
  }
}

/// A request's body as chunks of bytes.
struct Upload: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  let body: RequestBody

  init(_ body: RequestBody) { self.body = body }

  struct Iterator: AsyncIteratorProtocol {
    var base: RequestBody.AsyncIterator

    mutating func next() async throws -> [UInt8]? {
      guard var buffer = try await base.next() else { return nil }
      return buffer.readBytes(length: buffer.readableBytes)
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(base: body.makeAsyncIterator()) }
}
