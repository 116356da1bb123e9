import ArgumentParser
import Digests
import Files
import Formats
import Glibc
import NIOCore
import NIOHTTP1

struct BlobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "blobs", abstract: "Look into the server's blobstore.",
    discussion: """
      Blobs are archives of releases, compiled packages, rendered jobs and logs. An apply spec names them by \
      blobstore_id; so do a task's debug output and an agent's log.
      """, subcommands: [BlobExists.self, BlobGet.self, BlobPut.self, BlobList.self])
}

struct BlobExists: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exists", abstract: "Say whether there is a blob: 'true', or 'false' and exit code 1.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "The blob's id.") var id: String

  func run() async throws {
    var exists = false
    try await options.withClient { client in
      let answer = try await client.send(.head, "/blobs/\(PathText.escape(id))")
      guard [200, 404].contains(answer.status) else { throw client.refusal(answer, "HEAD /blobs/\(id)") }
      exists = answer.status == 200
      guard options.json else { return Console.print(exists ? "true" : "false") }
      var object: ValueObject = ["id": .string(id), "exists": .bool(exists)]
      if exists, let size = answer.headers.first(name: "Content-Length").flatMap({ Int($0) }) {
        object["size"] = .int(size)
      }
      Console.printJSON(.object(object))
    }
    if !exists { throw ExitCode(1) }
  }
}

struct BlobGet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Copy a blob to a file.",
    discussion: "The file appears when it is whole. Its digests are printed.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "The blob's id.") var id: String
  @Argument(help: "The file; - is standard output.") var file: String

  func run() async throws {
    try await options.withClient { client in
      let path = "/blobs/\(PathText.escape(id))"
      if file == "-" {
        _ = try await client.download(path) { Console.write($0, to: 1) }
        return
      }
      var hasher = DigestHasher([.sha1, .sha256])
      var target: NewFile?
      let size = try await client.download(path) { bytes in
        // Not before there are bytes: an id that is wrong leaves nothing behind.
        if target == nil { target = try NewFile(absolutePath(file), mode: 0o600) }
        hasher.update(bytes)
        try target?.file.write(bytes)
      }
      try (target ?? NewFile(absolutePath(file), mode: 0o600)).replace()
      let digests = hasher.finish().pieces
      if options.json {
        var object: ValueObject = ["id": .string(id), "file": .string(file), "size": .int(Int(size))]
        for piece in digests { object[piece.name] = .string(piece.hex) }
        return Console.printJSON(.object(object))
      }
      Console.print("\(file): \(size) bytes")
      for piece in digests { Console.print("\(piece.name) \(piece.hex)") }
    }
  }
}

struct BlobPut: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", abstract: "Store a file as a blob, and print its id.",
    discussion: "A blob that is there is not replaced.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "The file.") var file: String
  @Option(help: "The blob's id; a new one if not given.") var id: String?

  func run() async throws {
    try await options.withClient { client in
      let body = DirectorClient.Body.file(absolutePath(file), type: "application/octet-stream")
      let path = id.map { "/blobs/\(PathText.escape($0))" } ?? "/blobs"
      let answer = try await client.send(id == nil ? .post : .put, path, body, timeout: .hours(24))
      guard answer.status == 201 else { throw client.refusal(answer, "storing \(file)") }
      let blob = try answer.value()
      if options.json { Console.printJSON(blob) } else { Console.print(blob["id"]?.string ?? "") }
    }
  }
}

struct BlobList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the blobs with their sizes.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      let rows = (try await client.get("/blobs").array ?? []).map { blob in
        [blob["id"]?.string ?? "", blob["size"]?.int.map(String.init) ?? ""]
      }
      Table("blobs", ["ID", "Size"], rows).print(json: options.json)
    }
  }
}
