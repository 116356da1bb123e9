import AgentProtocol
import Files
import Formats
import Glibc
import Logging
import Processes
import TestSupport
import Testing

@testable import Agent

@Suite struct SettingsTests {
  @Test("the command line has the agent's flags")
  func options() async throws {
    let options = try AgentOptions([
      "-P", "dummy", "-C=/a.json", "--b", "/base", "-M", "monit", "-no-alerts", "-r", "x",
    ])
    #expect(options.platform == "dummy" && options.configurationPath == "/a.json" && options.baseDirectory == "/base")
    #expect(try AgentOptions(["-v"]).showsVersion)
    for word in ["-h", "-help", "--help"] {
      #expect(try AgentOptions([word]).showsHelp)
      #expect(await AgentProgram.run([word]) == 0)
      #expect(await AgentProgram.run(["wait-drained", word]) == 0)
    }
    #expect(try AgentOptions([]).baseDirectory == "/var/vcap")
  }

  @Test(
    "a wrong command line says what is allowed",
    arguments: [
      (["-P", "windows"], "-P windows: unknown platform; known are container, dummy, ubuntu"),
      (["-P"], "-P needs a value"),
      (["-x"], "unknown argument '-x'; allowed are -P, -C, -M, -b, -v, -r and -no-alerts (see drover-agent --help)"),
      (["-b", "here"], "-b here: expected an absolute path"),
    ])
  func wrongOptions(arguments: [String], message: String) throws {
    #expect(try #require(throws: DroverError.self) { try AgentOptions(arguments) }.message == message)
  }

  @Test("agent.json's names are matched whatever their case, and unknown ones ignored")
  func configuration() throws {
    let value = try JSON.parse(
      #"{"platform":{"LINUX":{"a":1}},"x":1,"infrastructure":{"settings":{"sources":[{"type":"File","settingspath":"/s"},"#
        + #"{"Type":"VsphereGuestInfo"}],"useservername":true,"UseRegistry":true,"requirebustls":true}}}"#)
    let configuration = try AgentConfiguration(value)
    #expect(
      configuration.sources
        == [
          .file(settingsPath: "/s", userDataPath: "", metaDataPath: ""),
          .vsphereGuestInfo(rpcTool: "vmware-rpctool", toolsDaemon: "vmtoolsd"),
        ])
    #expect(configuration.linux == ["a": 1])
    #expect(configuration.registry == .init(isForced: true, usesServerName: true) && configuration.requiresBusTLS)
  }

  @Test("networks of DHCP have the address of the interface that leads out, whenever they are looked at")
  func defaultRoute() async throws {
    let text = """
      Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
      eth1 00000000 0101A8C0 0003 0 0 200 00000000 0 0 0
      eth0 00000000 0100000A 0003 0 0 100 00000000 0 0 0
      eth0 0000000A 00000000 0001 0 0 100 00FFFFFF 0 0 0
      """
    let found = try #require(DefaultRoute.parse(text))
    #expect(found.interface == "eth0" && found.gateway == "10.0.0.1")
    #expect(DefaultRoute.parse("Iface\n") == nil && DefaultRoute.parse("") == nil)

    try await withTemporaryFolder { folder in
      try TestAgent.prepare(folder) { settings in
        settings["networks"] = [
          "d": ["type": "dynamic"], "m": ["type": "manual", "ip": "10.0.0.9", "netmask": "255.0.0.0"],
          "v": ["type": "vip", "ip": "1.2.3.4"], "p": ["type": "dynamic", "prefix": "24"],
        ]
      }
      let layout = VMLayout(base: "\(folder)/vcap")
      let store = try await SettingsStore(
        AgentConfiguration.load(layout.agentConfiguration), layout: layout,
        defaultRoute: { DefaultRoute(address: "10.9.9.9", netmask: "255.255.0.0", gateway: "10.9.0.1") },
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let networks = await store.current.document.networks
      #expect(networks.map(\.ip) == ["10.9.9.9", "10.0.0.9", "1.2.3.4", ""])
      #expect(networks["d"]?.gateway == "10.9.0.1" && networks["d"]?.isDHCP == true)
      // What the cloud said is kept as it was said.
      #expect(Files.textIfPresent("\(folder)/vcap/bosh/settings.json")?.contains("10.9.9.9") == false)
    }
  }

  @Test(
    "a configuration without a usable source is refused",
    arguments: [
      #"{}"#, #"{"Infrastructure":{"Settings":{"Sources":[]}}}"#,
      #"{"Infrastructure":{"Settings":{"Sources":[{}]}}}"#,
      #"{"Infrastructure":{"Settings":{"Sources":[{"Type":"Magic"}]}}}"#,
      #"{"Infrastructure":{"Settings":{"Sources":[{"Type":"File"}]}}}"#,
    ])
  func badConfiguration(text: String) throws {
    let value = try JSON.parse(text)
    #expect(throws: DroverError.self) { try AgentConfiguration(value) }
  }

  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  @Test("settings are cached with mode 0600 and used when the source is gone; without both the agent cannot start")
  func cache() async throws {
    try await withTemporaryFolder { folder in
      try TestAgent.prepare(folder)
      let layout = VMLayout(base: "\(folder)/vcap")
      let configuration = try AgentConfiguration.load(layout.agentConfiguration)
      let first = try await SettingsStore(configuration, layout: layout, logger: Self.logger)
      #expect(await first.current.agentID == "agent-1")
      var information = stat()
      #expect(stat("\(layout.bosh)/settings.json", &information) == 0 && information.st_mode & 0o777 == 0o600)

      try Files.replace("\(layout.bosh)/user_data.json", with: Array("{\"agent".utf8))
      let second = try await SettingsStore(configuration, layout: layout, logger: Self.logger)
      #expect(await second.current == first.current)
      try Files.remove("\(layout.bosh)/settings.json")
      let error = try await #require(throws: DroverError.self) {
        try await SettingsStore(configuration, layout: layout, logger: Self.logger)
      }
      #expect(error.message.contains("user_data.json"))
    }
  }

  @Test("update_settings counts more than env, and env more than the document")
  func precedence() throws {
    var document = try AgentSettings(["agent_id": "a", "mbus": "nats://one", "blobstore": ["provider": "local"]])
    var settings = EffectiveSettings(document: document, update: UpdateSettings(), diskHints: [:])
    #expect(settings.busURLs == ["nats://one"] && settings.blobstore?.provider == "local")
    document = try AgentSettings([
      "agent_id": "a", "mbus": "nats://one",
      "env": [
        "bosh": [
          "mbus": ["urls": ["nats://two"], "cert": ["ca": "CA2"]], "blobstores": [["provider": "dav"]],
        ]
      ],
    ])
    settings = EffectiveSettings(document: document, update: UpdateSettings(), diskHints: [:])
    #expect(settings.busURLs == ["nats://two"] && settings.blobstore?.provider == "dav")
    #expect(settings.busCertificate?.ca == "CA2")
    let bus = BusSettings(
      urls: ["nats://three"], certificate: .init(ca: "CA3", certificate: "c", privateKey: "k"))
    settings.update = UpdateSettingsAction.merge(
      UpdateSettings(bus: bus, blobstores: [.init(provider: "s3")]), into: UpdateSettings())
    #expect(settings.busURLs == ["nats://three"] && settings.blobstore?.provider == "s3")
    #expect(settings.busCertificate?.ca == "CA3")
    // What is empty does not take anything back, except certificates and associations.
    let kept = UpdateSettingsAction.merge(
      UpdateSettings(bus: BusSettings(urls: [], certificate: .init(ca: "", certificate: "", privateKey: ""))),
      into: settings.update)
    #expect(kept.bus == bus && kept.blobstores == settings.update.blobstores)
  }

  @Test("update_settings keeps what it was given, and a new bus makes the agent start again and then say ok")
  func newBus() async throws {
    try await withTemporaryFolder { folder in
      try TestAgent.prepare(folder)
      let settings: Value = ["trusted_certs": "", "mbus": ["urls": ["nats://new:4222"]]]
      try await TestAgent.run(in: folder) { test in
        _ = try await test.request("update_settings", [settings], id: "u1")
        #expect(await test.agent.termination.wait() == 0)
      }
      try await TestAgent.run(in: folder) { test in
        let response = try await test.request("update_settings", [settings], id: "u1")
        let task = try #require(AgentTaskReply(try TestAgent.value(response))).taskID
        #expect(try await test.result(of: task) == "ok")
        #expect(await test.agent.effectiveSettings.busURLs == ["nats://new:4222"])
      }
    }
  }
}
