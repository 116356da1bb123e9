import Archives
import Blobs
import Digests
import Director
import Documents
import Formats
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Surroundings
import TestSupport
import Testing

@testable import DirectorAPI

@Suite struct DirectorAPITests {
  private let headers: HTTPFields = [.authorization: TestDirector.authorization]

  @Test("/info answers everybody, and says who asks only to those who have logged in")
  func info() async throws {
    try await TestDirector.with { client, _ in
      try await client.execute(uri: "/info", method: .get) { response in
        #expect(response.status == .ok)
        let info = try JSON.parse(String(buffer: response.body))
        #expect(info["user"] == .null)
      }
      try await client.execute(uri: "/info", method: .get, headers: headers) { response in
        let info = try JSON.parse(String(buffer: response.body))
        #expect(info["user"] == "admin")
        #expect(info["name"] == "test")
        #expect(info["user_authentication"]?["type"] == "basic")
      }
    }
  }

  @Test(
    "Anything else needs a valid user",
    arguments: ["", "Basic ", "Basic YWRtaW46d3Jvbmc=", "Basic %%%", "Bearer secret", "Basic bm9ib2R5OnNlY3JldA=="])
  func unauthorized(_ authorization: String) async throws {
    try await TestDirector.with { client, _ in
      try await client.execute(uri: "/tasks", method: .get, headers: [.authorization: authorization]) { response in
        #expect(response.status == .unauthorized)
        #expect(response.headers[.wwwAuthenticate] == "Basic realm=\"BOSH Director\"")
        #expect(String(buffer: response.body).hasPrefix("Not authorized: '/tasks'"))
      }
    }
  }

  @Test("Schedules are listed; one that is not there is told so")
  func schedules() async throws {
    try await TestDirector.with { client, _ in
      try await client.execute(uri: "/schedules", method: .get, headers: headers) { response in
        #expect(response.status == .ok)
        #expect(String(buffer: response.body) == "[]")
      }
      for (path, method) in [
        ("/schedules?deployment=none", HTTPRequest.Method.get), ("/deployments/none/schedules/a/pause", .post),
        ("/deployments/none/schedules/a/resume", .post), ("/deployments/none/schedules/a/runs", .post),
      ] {
        try await client.execute(uri: path, method: method, headers: headers) { response in
          #expect(response.status == .notFound)
          #expect(String(buffer: response.body).contains("Deployment 'none' doesn't exist"))
        }
      }
    }
  }

  @Test("An unknown path is told so")
  func unknownPath() async throws {
    try await TestDirector.with { client, _ in
      try await client.execute(uri: "/nothing", method: .get, headers: headers) { response in
        #expect(response.status == .notFound)
        #expect(String(buffer: response.body) == "Endpoint '/nothing' not found.")
      }
    }
  }

  @Test(
    "What is not there is 404 with BOSH's number, what is wrong is 400 and says what is allowed",
    arguments: [
      ("/tasks/77", 404, 10000), ("/tasks/x", 404, 10000), ("/deployments/none", 404, 70000),
      ("/releases/none", 404, 30005), ("/configs/9", 404, 440012), ("/resources/none", 404, 60000),
      ("/tasks?state=odd", 400, 40000), ("/tasks?limit=-1", 400, 40000),
    ])
  func failures(_ path: String, _ status: Int, _ number: Int) async throws {
    try await TestDirector.with { client, _ in
      try await client.execute(uri: path, method: .get, headers: headers) { response in
        #expect(response.status.code == status)
        let body = try JSON.parse(String(buffer: response.body))
        #expect(body["code"] == .int(number))
        #expect(body["description"]?.string?.isEmpty == false)
      }
    }
  }

  @Test(
    "A query is decoded once, so that a version keeps its plus sign",
    arguments: [("0%2Bdev.1", "0+dev.1"), ("0%252B1", "0%2B1"), ("a%26b%3Dc", "a&b=c"), ("a+b", "a b")])
  func query(_ sent: String, _ version: String) async throws {
    try await TestDirector.with { client, _ in
      try await client.execute(uri: "/releases/r?x=&version=\(sent)", method: .get, headers: headers) { response in
        let answer = try JSON.parse(String(buffer: response.body))
        #expect(answer["description"]?.string == "Release version 'r/\(version)' doesn't exist")
      }
    }
  }

  @Test(
    "A name in a path is what it was before it was escaped",
    arguments: [
      ("a%20b", "'a b'"), ("a%2Fb", "'a/b'"), ("%C3%BC", "'ü'"), ("a+b", "'a+b'"), ("%2525", "'%25'"),
      ("%FF", "expected UTF-8"),
    ])
  func names(_ sent: String, _ told: String) async throws {
    try await TestDirector.with { client, _ in
      for path in ["/deployments/\(sent)/errands/x/runs", "/deployments/\(sent)/schedules/x/pause"] {
        try await client.execute(uri: path, method: .post, headers: headers, body: ByteBuffer(string: "{}")) {
          response in
          #expect(response.status.code == (told.contains("UTF-8") ? 400 : 404))
          let answer = try JSON.parse(String(buffer: response.body))
          #expect(answer["description"]?.string?.contains(told) == true)
        }
      }
    }
  }

  @Test("A manifest that cannot be read is refused at once, naming the field, and makes no task")
  func badManifest() async throws {
    try await TestDirector.with { client, director in
      let body = ByteBuffer(string: "name: x\n")
      try await client.execute(uri: "/deployments?", method: .post, headers: headers, body: body) { response in
        #expect(response.status == .badRequest)
        #expect(String(buffer: response.body).contains("update: missing"))
      }
      #expect(try await director.tasks.tasks().isEmpty)
    }
  }

  @Test(
    "What is sent about instances is checked before anything else",
    arguments: [
      ("PUT", "/deployments/none/jobs/*?state=restart", 404, 70000),
      ("PUT", "/deployments/none/jobs/web/0", 400, 40000),
      ("PUT", "/deployments/none/jobs/web?state=odd", 400, 40000),
      ("PUT", "/deployments/none/jobs/web?state=recreate&recreate_vms_created_before=2026-01-01T00:00:00Z", 400, 40000),
      ("POST", "/deployments/none/instance_groups/web/0/actions/restart?", 404, 70000),
      ("POST", "/deployments/none/instance_groups/web/0/actions/odd?", 400, 40000),
      ("GET", "/deployments/none/jobs/*/*/logs?type=job", 404, 70000), ("POST", "/deployments/none/ssh", 400, 40000),
    ])
  func instances(_ method: String, _ path: String, _ status: Int, _ number: Int) async throws {
    try await TestDirector.with { client, director in
      let method = try #require(HTTPRequest.Method(rawValue: method))
      let body = ByteBuffer(string: path.hasSuffix("ssh") ? "{}" : "")
      try await client.execute(uri: path, method: method, headers: headers, body: body) { response in
        #expect(response.status.code == status, "\(String(buffer: response.body))")
        let body = try JSON.parse(String(buffer: response.body))
        #expect(body["code"] == .int(number))
      }
      #expect(try await director.tasks.tasks().isEmpty)
    }
  }

  @Test("Configs get a new version only when they change, and a stale update is refused with 412")
  func configs() async throws {
    try await TestDirector.with { client, _ in
      func update(_ content: String, expected: String?) async throws -> (Int, Value) {
        var config: ValueObject = ["type": "runtime", "name": "default", "content": .string(content)]
        if let expected { config["expected_latest_id"] = .string(expected) }
        return try await client.execute(
          uri: "/configs", method: .post, headers: headers, body: ByteBuffer(bytes: JSON.bytes(.object(config)))
        ) { (Int($0.status.code), try JSON.parse(String(buffer: $0.body))) }
      }
      let first = try await update("releases: []\n", expected: "0")
      #expect(first.0 == 201 && first.1["id"] == "1" && first.1["current"] == true)
      #expect(try await update("releases: []\n", expected: "1").1["id"] == "1")
      #expect(try await update("tags: {a: b}\n", expected: "1").1["id"] == "2")
      let stale = try await update("tags: {a: c}\n", expected: "1")
      #expect(stale.0 == 412 && stale.1["latest_id"] == "2" && stale.1["expected_latest_id"] == "1")
      #expect(try await update("- not a mapping\n", expected: nil).0 == 400)
    }
  }

  @Test(
    "The diff of a deployment shows runtime configs and names them for the deploy; deleted ones stay readable by id")
  func runtimeConfigs() async throws {
    try await TestDirector.with { client, director in
      _ = try await director.updateConfig(type: "cloud", name: "default", content: Self.cloudConfig)
      let tags = try await director.updateConfig(type: "runtime", name: "tags", content: "tags: {owner: me}\n")
      let addons = try await director.updateConfig(
        type: "runtime", name: "addons",
        content: "releases: [{name: os-conf, version: 1}]\naddons: [{name: a, jobs: [{name: j, release: os-conf}]}]\n")
      func difference() async throws -> Value {
        try await client.execute(
          uri: "/deployments/x/diff?redact=true", method: .post, headers: headers,
          body: ByteBuffer(string: "name: x\nreleases: [{name: r, version: latest}]\n")
        ) { try JSON.parse(String(buffer: $0.body)) }
      }
      let whole = try await difference()
      #expect(whole["context"] == ["cloud_config_ids": [1], "runtime_config_ids": [2, 3]])
      let text = JSON.text(whole["diff"] ?? .null)
      #expect(text.contains("owner: me") && text.contains("os-conf"), "\(text)")

      #expect(try await director.deleteConfig(type: "runtime", name: "addons"))
      #expect(try await director.deleteConfig(type: "runtime", name: "addons") == false)
      #expect(try await difference()["context"]?["runtime_config_ids"] == [.int(tags.id)])
      #expect(try await director.config(id: addons.id).content == addons.content)
      #expect(try await director.configs(type: "runtime", name: nil, latestOnly: false).map(\.id) == [tags.id])
      await #expect(throws: DroverError.self) {
        try await director.updateConfig(type: "runtime", name: "bad", content: "addons: [{name: a, jobs: [{name: j}]}]")
      }
    }
  }

  private static let cloudConfig = """
    azs: [{name: z1}]
    networks: [{name: default, subnets: [{range: 10.0.1.0/24, gateway: 10.0.1.1, az: z1}]}]
    vm_types: [{name: small}]
    compilation: {workers: 1, network: default, az: z1, vm_type: small}
    """

  @Test("Output is handed out from an offset on; nothing new is 416; without range all of it comes")
  func output() async throws {
    try await TestDirector.with { client, director in
      await director.tasks.register("test") { context in
        try await context.stage("Testing", total: 1).step("one") { try await $0.status("working") }
        return "done so"
      }
      let id = try await director.tasks.start(
        TaskBoard.Order(type: "test", description: "a test", user: "admin", request: ["": ""]))
      let record = try await director.tasks.wait(for: id)
      #expect(record.state == .done && record.result == "done so")
      let uri = "/tasks/\(id)/output?type=event"
      let ended = try #require(HTTPField.Name("Drover-Task-Ended"))
      let whole = try await client.execute(uri: uri, method: .get, headers: headers) { String(buffer: $0.body) }
      let lines = try whole.split(separator: "\n").map { try JSON.parse(String($0)) }
      #expect(lines.map { $0["state"]?.string } == ["started", "in_progress", "finished"])
      #expect(lines.allSatisfy { $0["tags"] == [] && $0["task"] == "one" })
      var ranged = headers
      ranged[.range] = "bytes=10-"
      try await client.execute(uri: uri, method: .get, headers: ranged) { response in
        #expect(response.status == .partialContent)
        #expect(String(buffer: response.body) == String(whole.dropFirst(10)))
        #expect(response.headers[.contentRange] == "bytes 10-\(whole.utf8.count - 1)/\(whole.utf8.count)")
      }
      ranged[.range] = "bytes=\(whole.utf8.count)-"
      try await client.execute(uri: uri, method: .get, headers: ranged) { response in
        #expect(response.status == .rangeNotSatisfiable)
        #expect(response.headers[.contentRange] == "bytes */\(whole.utf8.count)")
        #expect(response.headers[ended] == "true")
      }
      try await client.execute(uri: "/task/\(id)", method: .delete, headers: headers) { response in
        #expect(response.status == .badRequest)
      }
    }
  }

  @Test("An upload that fails half-way leaves no blob and no release")
  func halfUpload() async throws {
    let blobs = MemoryBlobStore(surroundings: .system)
    try await TestDirector.with(blobs: blobs) { client, director in
      let tarball = try await withTemporaryFolder { folder in
        try await TestRelease.tarball(in: folder, lacksPackage: true)
      }
      let location = try await client.execute(
        uri: "/releases?", method: .post, headers: headers, body: ByteBuffer(bytes: tarball)
      ) { $0.headers[.location] ?? "" }
      let record = try await director.tasks.wait(for: try #require(Int(location.split(separator: "/").last ?? "")))
      #expect(record.state == .error)
      #expect(record.result?.contains("package 'absent' is not in the tarball") == true)
      #expect(try await blobs.list() == [])
      #expect(try await director.releasesListing() == [])
    }
  }

  @Test("An upload that is no release becomes a task in error, and leaves nothing")
  func badUpload() async throws {
    try await TestDirector.with { client, director in
      let location = try await client.execute(
        uri: "/releases?", method: .post, headers: headers, body: ByteBuffer(string: "no tarball")
      ) { response in
        #expect(response.status == .found)
        return response.headers[.location] ?? ""
      }
      let id = try #require(Int(location.split(separator: "/").last ?? ""))
      let record = try await director.tasks.wait(for: id)
      #expect(record.state == .error)
      // Whoever sent it knows nothing of the file that it was put into.
      #expect(record.result?.contains("the uploaded file") == true, "\(record.result ?? "")")
      #expect(record.result?.contains("upload-\(id)") == false, "\(record.result ?? "")")
      try await client.execute(uri: "/releases", method: .get, headers: headers) { response in
        #expect(String(buffer: response.body) == "[]")
      }
    }
  }
}
