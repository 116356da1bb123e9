import AgentProtocol
import Files
import Formats
import HTTPService
import Logging
import Processes
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Agent

@Suite struct SourceDescriptionTests {
  private func describe(_ text: String) throws -> SourceDescription { try SourceDescription(JSON.parse(text), at: "S") }

  @Test("every kind is read, its names in any case")
  func kinds() throws {
    #expect(
      try describe(#"{"type":"File","settingspath":"/s"}"#)
        == .file(settingsPath: "/s", userDataPath: "", metaDataPath: ""))
    #expect(
      try describe(
        #"{"Type":"HTTP","URI":"http://x","Headers":{"A":"b","N":1},"UserDataPath":"/u","SSHKeysPath":"/k","#
          + #""TokenPath":"/t","InstanceIDPath":"/i"}"#)
        == .http(
          .init(
            uri: "http://x", headers: ["A": "b", "N": "1"], userDataPath: "/u", sshKeysPath: "/k", tokenPath: "/t",
            instanceIDPath: "/i")))
    #expect(
      try describe(#"{"Type":"InstanceMetadata","URI":"http://x","SettingsPath":"/s"}"#)
        == .instanceMetadata(uri: "http://x", headers: [:], settingsPath: "/s"))
    #expect(
      try describe(#"{"Type":"ConfigDrive","DiskPaths":["/d"],"MetaDataPath":"m","UserDataPath":"u"}"#)
        == .configDrive(diskPaths: ["/d"], userDataPath: "u", metaDataPath: "m"))
    #expect(try describe(#"{"Type":"CDROM","FileName":"env"}"#) == .cdrom(fileName: "env"))
    #expect(
      try describe(#"{"Type":"VsphereGuestInfo"}"#)
        == .vsphereGuestInfo(rpcTool: "vmware-rpctool", toolsDaemon: "vmtoolsd"))
    #expect(
      try describe(#"{"type":"VsphereGuestInfo","RpcToolPath":"/r","VmToolsdPath":"/t"}"#)
        == .vsphereGuestInfo(rpcTool: "/r", toolsDaemon: "/t"))
  }

  @Test(
    "what is missing or wrong is named",
    arguments: [
      (#"{}"#, "S.Type: missing"), (#"{"Type":"Magic"}"#, "S.Type: unknown type 'Magic'"),
      (#"{"Type":"File"}"#, "S.SettingsPath"),
      (#"{"Type":"File","SettingsPath":1}"#, "S.SettingsPath: expected a string, found an integer"),
      (#"{"Type":"HTTP","UserDataPath":"/u"}"#, "S.URI: missing"), (#"{"Type":"HTTP","URI":"x"}"#, "S.UserDataPath"),
      (#"{"Type":"HTTP","URI":"x","UserDataPath":"u","Headers":[]}"#, "S.Headers: expected an object"),
      (#"{"Type":"HTTP","URI":"x","UserDataPath":"u","Headers":{"A":[]}}"#, "S.Headers.A: expected a string"),
      (#"{"Type":"InstanceMetadata","URI":"x"}"#, "S.SettingsPath"), (#"{"Type":"ConfigDrive"}"#, "S.DiskPaths"),
      (#"{"Type":"ConfigDrive","DiskPaths":["/d"]}"#, "S.UserDataPath"), (#"{"Type":"CDROM"}"#, "S.FileName"),
    ])
  func wrong(text: String, message: String) throws {
    let error = try #require(throws: DroverError.self) { try describe(text) }
    #expect(error.message.hasPrefix(message), "\(error.message)")
  }
}

@Suite struct UserDataTests {
  @Test(
    "user data are JSON, or base64 of it, perhaps in quotes",
    arguments: [
      #"{"agent_id":"a"}"#, "eyJhZ2VudF9pZCI6ImEifQ", "eyJhZ2VudF9pZCI6ImEifQ==\n", "\"eyJhZ2VudF9pZCI6ImEifQ\"",
    ])
  func reads(text: String) throws { #expect(try UserData(Array(text.utf8)).document == ["agent_id": "a"]) }

  @Test("what is neither is refused", arguments: ["", "{", "[]", "hello world", "aGVsbG8", #"{"agent_id":"#])
  func refuses(text: String) { #expect(throws: DroverError.self) { try UserData(Array(text.utf8)) } }

  private typealias Use = AgentConfiguration.RegistryUse
  private static let endpoint = "http://admin:admin@localhost:25889"

  @Test("user data hold settings or lead to a registry, as agent.json says")
  func way() throws {
    let settings = try UserData(Array(#"{"agent_id":"a","Registry":{"Endpoint":"http://r"}}"#.utf8))
    #expect(try settings.way(Use()) == .here)
    #expect(try settings.way(Use(isForced: true)) == .registry(endpoint: "http://r", name: nil))
    #expect(try UserData(Array(#"{"agent_id":"a"}"#.utf8)).way(Use(isForced: true)) == .here)
    let slide = try UserData(Array(#"{"registry":{"endpoint":"\#(Self.endpoint)"},"server":{"name":"vm-1"}}"#.utf8))
    #expect(try slide.way(Use()) == .registry(endpoint: Self.endpoint, name: nil))
    #expect(try slide.way(Use(usesServerName: true)) == .registry(endpoint: Self.endpoint, name: "vm-1"))
    let nameless = try UserData(Array(#"{"registry":{"endpoint":"\#(Self.endpoint)"}}"#.utf8))
    #expect(throws: DroverError.self) { try nameless.way(Use(usesServerName: true)) }
    #expect(throws: DroverError.self) { try UserData(Array("{}".utf8)).way(Use()) }
  }

  @Test("a registry is asked with its user and password in a field, not in the URL")
  func request() throws {
    let (url, headers) = try RegistryRequest.make(endpoint: "\(Self.endpoint)/", instanceID: "vm/1 ä")
    #expect(url == "http://localhost:25889/instances/vm%2F1%20%C3%A4/settings")
    #expect(headers == ["Authorization": "Basic YWRtaW46YWRtaW4="])
  }

  @Test("a registry's answer holds the document as a text, as an object, or is it")
  func answer() throws {
    for text in [
      #"{"settings":"{\"agent_id\":\"a\"}","status":"ok"}"#, #"{"settings":{"agent_id":"a"}}"#, #"{"agent_id":"a"}"#,
    ] {
      #expect(try RegistrySettings.document(Array(text.utf8)) == ["agent_id": "a"])
    }
    for text in ["", "{}", #"{"settings":"{"}"#, #"{"settings":1}"#, #"{"status":"not_found"}"#] {
      #expect(throws: DroverError.self) { try RegistrySettings.document(Array(text.utf8)) }
    }
    #expect(RegistrySettings.instanceID(path: "/instances/vm-1/settings") == "vm-1")
    for path in [
      "/instances//settings", "/instances/../settings", "/instances/a%2Fb/settings", "/instances/a/b/settings", "/",
    ] {
      #expect(RegistrySettings.instanceID(path: path) == nil)
    }
  }

  @Test("the machine's id and the cloud's key are in its meta data")
  func metaData() throws {
    let data = try MetaData(
      Array(#"{"instance-id":"i-1","public-keys":{"0":{"openssh-key":"ssh-rsa AAA"}}}"#.utf8))
    #expect(data.instanceID == "i-1" && data.publicKey == "ssh-rsa AAA")
    #expect(try MetaData(Array("{}".utf8)).instanceID == nil)
  }
}

@Suite struct BootOnceTests {
  @Test(
    "a machine that lost its memory does not run any more, others do",
    arguments: [
      (false, true, false, BootOnce.Decision.run), (true, false, false, .runMarked), (true, true, true, .runMarked),
      (true, false, true, .runMarked), (true, true, false, .refuse),
    ])
  func decide(isProtected: Bool, onDisk: Bool, inMemory: Bool, decision: BootOnce.Decision) {
    #expect(BootOnce.decide(isProtected: isProtected, onDisk: onDisk, inMemory: inMemory) == decision)
  }
}

/// The settings of an agent on a machine in a temporary folder, from sources that are real servers and disks.
@Suite struct SettingsSourceTests {
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Time passes at once.
  private static var hasty: Surroundings {
    var surroundings = Surroundings.system
    surroundings.sleep = { _ in try Task.checkCancellation() }
    return surroundings
  }

  private func store(
    _ folder: String, _ settings: Value, tries: Int = 10
  ) async throws -> SettingsStore {
    try Files.makeFolder("\(folder)/vcap/bosh")
    let configuration = try AgentConfiguration(["Infrastructure": ["Settings": settings]])
    return try await SettingsStore(
      configuration, layout: VMLayout(base: "\(folder)/vcap"), surroundings: Self.hasty, tries: tries,
      logger: Self.quiet)
  }

  @Test("a metadata service is asked until it is there, with headers and its token, for user data and the key")
  func http() async throws {
    let asked = Mutex(0)
    try await withService { request, _ in
      if request.method == "PUT", request.path == "/token" {
        return request.header("X-aws-ec2-metadata-token-ttl-seconds") == "300"
          ? .text(200, "the-token") : HTTPReply(400)
      }
      guard request.header("X-aws-ec2-metadata-token") == "the-token", request.header("Metadata") == "yes" else {
        return HTTPReply(401)
      }
      switch request.path {
      case "/user-data":
        let count = asked.withLock { count in
          count += 1
          return count
        }
        return count < 3 ? HTTPReply(503) : .text(200, "\"\(Base64.encode(#"{"agent_id":"from-http"}"#.utf8, .url))\"")
      case "/key": return .text(200, "ssh-rsa AAA\n")
      default: return HTTPReply(404)
      }
    } _: { port in
      try await withTemporaryFolder { folder in
        func source(_ keys: String) -> Value {
          [
            "Sources": [
              [
                "Type": "HTTP", "URI": .string("http://127.0.0.1:\(port)"), "Headers": ["Metadata": "yes"],
                "UserDataPath": "/user-data", "TokenPath": "/token", "SSHKeysPath": .string(keys),
              ]
            ]
          ]
        }
        let store = try await store(folder, source("/key"))
        #expect(await store.current.agentID == "from-http")
        #expect(await store.publicKey() == "ssh-rsa AAA")
        #expect(await (try self.store(folder, source("/none"))).publicKey() == nil)
      }
    }
  }

  @Test("sources are tried in order, and the one that worked is asked first from then on")
  func several() async throws {
    let broken = Mutex(0)
    try await withService { request, _ in
      if request.path == "/good" { return .text(200, #"{"agent_id":"good","mbus":"nats://one"}"#) }
      broken.withLock { $0 += 1 }
      return .text(200, "{\"agent_id\":")
    } _: { port in
      try await withTemporaryFolder { folder in
        func source(_ path: String) -> Value {
          ["Type": "InstanceMetadata", "URI": .string("http://127.0.0.1:\(port)"), "SettingsPath": .string(path)]
        }
        let store = try await store(
          folder,
          [
            "Sources": [
              ["Type": "File", "SettingsPath": "/none"], ["Type": "CDROM", "FileName": "x"], source("/broken"),
              source("/good"),
            ]
          ],
          tries: 2)
        #expect(await store.current.agentID == "good")
        try await store.reload()
        #expect(broken.withLock { $0 } == 1)
        let error = await #expect(throws: DroverError.self) {
          try await self.store("\(folder)/other", ["Sources": [source("/broken")]])
        }
        #expect(error?.message.contains("user data: neither JSON nor base64") == true)
      }
    }
  }

  @Test("user data that name a registry lead to the settings that 'drover serve-registry' has, with a password")
  func registry() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/registry")
      let settings = #"{"agent_id":"a-1","mbus":"nats://nats:nats@127.0.0.1:4222","networks":{"n":{"ip":"10.0.0.3"}}}"#
      try writeTestFile("\(folder)/registry/vm-1.json", settings)
      let process = try TestProcess(
        program: "drover",
        ["serve-registry", "--settings", "\(folder)/registry", "--user", "admin:admin", "--listen", "127.0.0.1:0"])
      defer { process.kill() }
      let line = try #require(process.read(lines: 1).first)
      let place = line.split(separator: "/").last.map(String.init) ?? ""

      func configuration(_ user: String, _ use: ValueObject = [:]) throws -> Value {
        try writeTestFile(
          "\(folder)/user-data", #"{"registry":{"endpoint":"http://\#(user)@\#(place)"},"server":{"name":"vm-1"}}"#)
        try writeTestFile("\(folder)/meta-data", #"{"instance-id":"vm-1"}"#)
        let source: Value = [
          "Type": "File", "UserDataPath": .string("\(folder)/user-data"),
          "MetaDataPath": .string("\(folder)/meta-data"),
        ]
        var settings: ValueObject = ["Sources": .array([source])]
        for (name, value) in use { settings[name] = value }
        return .object(settings)
      }
      let store = try await store("\(folder)/one", configuration("admin:admin", ["UseServerName": true]))
      #expect(await store.current.busURLs == ["nats://nats:nats@127.0.0.1:4222"])
      #expect(await store.current.document.networks.defaultIP == "10.0.0.3")
      #expect(await (try self.store("\(folder)/two", configuration("admin:admin"))).current.agentID == "a-1")

      // What a cloud puts there later counts at the next load.
      let credentials = BasicCredentials(user: "admin", password: Secret("admin"))
      let url = "http://\(place)/instances/vm-1/settings"
      let put = try await TestHTTP.send(
        "PUT", url, headers: ["Authorization": credentials.header],
        body: Array(#"{"agent_id":"a-1","mbus":"nats://new"}"#.utf8))
      #expect(put.status == 200)
      #expect(try await store.reload().busURLs == ["nats://new"])
      #expect(try await TestHTTP.send("PUT", url, body: Array("{}".utf8)).status == 401)
      let wrong = try await TestHTTP.send(
        "PUT", url, headers: ["Authorization": credentials.header], body: Array("[]".utf8))
      #expect(wrong.status == 400)

      let error = await #expect(throws: DroverError.self) {
        try await self.store("\(folder)/three", configuration("admin:geheim"))
      }
      #expect(error?.message.contains("401 Unauthorized") == true && error?.message.contains("geheim") == false)
    }
  }

  @Test("a file of a director's changes that is damaged is left out, and the agent starts")
  func damaged() async throws {
    try await withTemporaryFolder { folder in
      try writeTestFile("\(folder)/settings", #"{"agent_id":"a","mbus":"nats://one"}"#)
      let configuration: Value = ["Sources": [["Type": "File", "SettingsPath": .string("\(folder)/settings")]]]
      let store = try await store(folder, configuration)
      try await store.keep(UpdateSettings(bus: BusSettings(urls: ["nats://two"])))
      #expect(try await self.store(folder, configuration).current.busURLs == ["nats://two"])
      try writeTestFile("\(folder)/vcap/bosh/update_settings.json", #"{"mbus":{"ur"#)
      #expect(try await self.store(folder, configuration).current.busURLs == ["nats://one"])
    }
  }
}
