import AgentProtocol
import Digests
import Files
import Formats
import Glibc
import Processes
import Testing

@testable import Agent

@Suite struct BlobstoreTests {
  private static let zeros = String(repeating: "0", count: 40)

  /// A package with one file in the test's own folder.
  private static func package(_ test: TestAgent, id: String) throws -> (bytes: [UInt8], spec: ApplySpec) {
    let digest = try TestRelease.blob(["bin/tool": "#!/bin/sh\n"], id, test)
    let bytes = try Files.read("\(test.blobstore)/\(id)")
    try Files.remove("\(test.blobstore)/\(id)")
    var spec = ApplySpec(deployment: "d", configurationHash: "h")
    spec.packages = [.init(name: "tool", version: "1", sha1: digest, blobstoreID: id)]
    return (bytes, spec)
  }

  private static func put(_ bytes: [UInt8], _ path: String) throws {
    try Files.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    try Files.replace(path, with: bytes)
  }

  private static func error(_ test: TestAgent, _ spec: ApplySpec) async throws -> String {
    let task = try await test.begin("apply", spec.value)
    return try await #require(throws: DroverError.self) { try await test.result(of: task) }.message
  }

  @Test("blobs are fetched from and put to a DAV server, and verified")
  func dav() async throws {
    try await DAVServer.with { server in
      try await TestAgent.with {
        $0["blobstore"] = server.settings()
      } _: { test in
        var (bytes, spec) = try Self.package(test, id: "p-1")
        try Self.put(bytes, server.path("p-1"))
        #expect(try await test.call("apply", spec.value) == "applied")
        #expect(try Files.exists("\(test.base)/packages/tool/bin/tool"))

        try Self.put(Array("line\n".utf8), "\(test.base)/data/sys/log/web/web.log")
        let logs = try await test.call("fetch_logs", "job", [])
        let id = try #require(logs["blobstore_id"]?.string)
        let stored = try Files.read(server.path(id))
        #expect(logs["sha1"]?.string == DigestHasher.hex(.sha1, stored))

        spec.packages[0].version = "2"
        spec.packages[0].blobstoreID = "p-2"
        #expect(try await Self.error(test, spec).contains("404"))
        spec.packages[0].blobstoreID = "p-1"
        spec.packages[0].sha1 = Self.zeros
        let text = try await Self.error(test, spec)
        #expect(text.contains("Expected stream to have digest '\(Self.zeros)' but was '"))
      }
    }
  }

  @Test("a DAV server that lets nobody in is said so, without the password")
  func davRefusal() async throws {
    try await DAVServer.with { server in
      try await TestAgent.with {
        $0["blobstore"] = server.settings(password: "geheim")
      } _: { test in
        let spec = try Self.package(test, id: "p-1").spec
        let text = try await Self.error(test, spec)
        #expect(text.contains("401") && text.contains("\(server.url)/") && !text.contains("geheim"))
      }
    }
  }

  @Test("a signed URL is fetched with its headers, whatever the blobstore")
  func signed() async throws {
    try await DAVServer.with { server in
      try await TestAgent.with {
        $0["blobstore"] = ["provider": "s3", "options": [:]]
      } _: { test in
        var (bytes, spec) = try Self.package(test, id: "p-1")
        try Self.put(bytes, "\(server.folder)/b/p-1")
        spec.packages[0].signedURL = "\(server.url)/signed/b/p-1?sig=1"
        #expect(try await Self.error(test, spec).contains("401"))
        spec.packages[0].blobstoreHeaders = ["X-Key": "secret"]
        #expect(try await test.call("apply", spec.value) == "applied")
        #expect(try Files.exists("\(test.base)/packages/tool/bin/tool"))
      }
    }
  }

  @Test("logs are put to a signed URL, but for a short archive that may come with the answer")
  func signedLogs() async throws {
    try await DAVServer.with { server in
      try await TestAgent.with { test in
        try Self.put(Array("line\n".utf8), "\(test.base)/data/sys/log/web/web.log")
        func fetch(_ id: String, limit: Int) async throws -> LogResult {
          let request = LogRequest(
            types: "job", uploadURL: "\(server.url)/signed/b/\(id)?sig=1", blobstoreHeaders: ["X-Key": "secret"],
            archiveLimit: limit)
          return try LogResult(await test.call("fetch_logs_with_signed_url", request.signedArgument))
        }
        for limit in [0, 10] {
          let result = try await fetch("put-\(limit)", limit: limit)
          #expect(result.archive == nil)
          try MultiDigest(result.sha1).verify(bytes: try Files.read("\(server.folder)/b/put-\(limit)"))
        }
        let result = try await fetch("kept", limit: 65_536)
        try MultiDigest(result.sha1).verify(bytes: try #require(result.archive))
        #expect(result.sha1.contains(";sha512:"))
        #expect(try !Files.exists("\(server.folder)/b/kept"))
        let file = "\(test.folder)/logs.tgz"
        try Files.replace(file, with: try #require(result.archive))
        #expect(try await Command("tar", "tzf", file).run().text.contains("web/web.log"))
      }
    }
  }

  /// Keeps blobs in a folder that its configuration names, and fails the first time it is called.
  private static let client = """
    #!/bin/sh
    [ "$1" = -c ] || exit 2
    store=$(sed -n 's/.*"folder":"\\([^"]*\\)".*/\\1/p' "$2")
    shift 2
    echo "$*" >> "$store/calls"
    if [ ! -e "$store/tried" ]; then touch "$store/tried"; echo "the network is down" >&2; exit 1; fi
    case $1 in
      get) cp "$store/$2" "$3" ;;
      put) cp "$2" "$store/$3" ;;
      exists) [ -e "$store/$2" ] || exit 3 ;;
      *) exit 2 ;;
    esac
    """

  @Test("any other provider is a program: tried again when it fails, and what it brings is verified")
  func external() async throws {
    try await TestAgent.with { settings in
      settings["blobstore"] = ["provider": "shelf", "options": ["folder": "FOLDER", "key": "geheim"]]
    } _: { test in
      // The options name a folder of the test, which is known only now.
      let store = "\(test.folder)/shelf"
      let options: Value = ["folder": .string(store), "key": "geheim"]
      let shelf = ExternalBlobstore(provider: "shelf", options: options.object ?? [:], layout: test.layout)
      try Files.makeFolder(store)
      let missing = await #expect(throws: DroverError.self) { try await shelf.put("/etc/hosts", "x") }
      #expect(missing?.message.contains("needs the program bosh-blobstore-shelf") == true)
      try Files.makeFolder("\(test.base)/bosh/bin")
      try Files.replace("\(test.base)/bosh/bin/bosh-blobstore-shelf", with: Array(Self.client.utf8), mode: 0o755)

      try Files.replace("\(store)/blob", with: Array("content".utf8))
      let digest = try MultiDigest(DigestHasher.hex(.sha1, "content"))
      let copy = "\(test.folder)/copy"
      try await shelf.get("blob", digest, to: copy)
      #expect(Files.textIfPresent(copy) == "content")
      try await shelf.put(copy, "new")
      #expect(Files.textIfPresent("\(store)/new") == "content")
      #expect(Files.textIfPresent("\(store)/calls") == "get blob \(copy)\nget blob \(copy)\nput \(copy) new\n")

      var information = stat()
      #expect(stat(shelf.configuration, &information) == 0 && information.st_mode & 0o777 == 0o600)
      #expect(try JSON.parse(Files.read(shelf.configuration)) == options)
      #expect(stat(copy, &information) == 0 && information.st_mode & 0o777 == 0o600)

      let wrong = await #expect(throws: DroverError.self) {
        try await shelf.get("blob", MultiDigest(Self.zeros), to: copy)
      }
      #expect(wrong?.message == "Expected stream to have digest '\(Self.zeros)' but was '\(digest)'")
      let absent = await #expect(throws: DroverError.self) { try await shelf.get("none", digest, to: copy) }
      #expect(absent?.message == "the shelf blobstore has no blob 'none'")
      #expect("\(try #require(absent))".contains("geheim") == false)
    }
  }

  @Test("the agent uses the program that its settings name")
  func externalAgent() async throws {
    try await DAVServer.with { server in
      try await TestAgent.with { settings in
        settings["blobstore"] = ["provider": "shelf", "options": ["folder": .string(server.folder)]]
      } _: { test in
        try Files.makeFolder("\(test.base)/bosh/bin")
        try Files.replace("\(test.base)/bosh/bin/bosh-blobstore-shelf", with: Array(Self.client.utf8), mode: 0o755)
        let (bytes, spec) = try Self.package(test, id: "p-1")
        try Self.put(bytes, "\(server.folder)/p-1")
        #expect(try await test.call("apply", spec.value) == "applied")
        try Self.put(Array("line\n".utf8), "\(test.base)/data/sys/log/web/web.log")
        let logs = try await test.call("fetch_logs", "job", [])
        let stored = try Files.read("\(server.folder)/\(logs["blobstore_id"]?.string ?? "")")
        #expect(logs["sha1"]?.string == DigestHasher.hex(.sha1, stored))
      }
    }
  }
}
