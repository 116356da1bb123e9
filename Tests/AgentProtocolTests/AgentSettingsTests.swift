import AgentProtocol
import Formats
import Testing

@Suite struct AgentSettingsTests {
  static let document = """
    {"agent_id":"a1","vm":{"name":"vm-1"},"mbus":"nats://h:4222","ntp":["n1"],
     "blobstore":{"provider":"dav","options":{"endpoint":"https://h"}},
     "disks":{"system":"/","ephemeral":"/dev/sdb","persistent":{"d1":{"path":"/mnt/d1","volume_id":7},"d2":"/dev/sdc"}},
     "networks":{"default":{"type":"manual","ip":"10.0.0.2","netmask":"255.255.255.0","default":["dns","gateway"],
       "dns":["1.1.1.1"]},"other":{"type":"dynamic"}},
     "env":{"bosh":{"password":"$6$x","authorized_keys":["k"],"parallel":3,"ntp":[],
       "mbus":{"urls":["nats://a:1","nats://b:2"],"cert":{"ca":"CA","certificate":"C","private_key":"K"}},
       "blobstores":[{"provider":"dav","options":{"endpoint":"https://g","tls":{"cert":{"ca":"BCA"}}}}]},
       "persistent_disk_fs":"xfs"}}
    """

  @Test("a settings document is read, written and read back as itself")
  func reading() throws {
    let settings = try AgentSettings(JSON.parse(Self.document))
    #expect(settings.agentID == "a1" && settings.vmName == "vm-1" && settings.mbus == "nats://h:4222")
    #expect(settings.disks.ephemeral == DiskHint(path: "/dev/sdb", volumeID: "/dev/sdb"))
    #expect(settings.disks.persistent["d1"] == DiskHint(path: "/mnt/d1", volumeID: "7"))
    #expect(settings.env.bus?.urls == ["nats://a:1", "nats://b:2"])
    #expect(settings.env.bus?.certificate?.privateKey == "K")
    #expect(settings.env.blobstores.first?.ca == "BCA")
    #expect(settings.env.parallel == 3)
    #expect(settings.env.ntp == [])
    #expect(settings.env.persistentDiskFileSystem == "xfs")
    #expect(settings.blobstore?.ca == nil)
    #expect(try AgentSettings(settings.value) == settings)
  }

  @Test("an agent id is needed and wrong kinds are named")
  func errors() throws {
    let missing = try #require(throws: DroverError.self) { try AgentSettings([:]) }
    #expect(missing.message == "settings.agent_id: missing; expected a string")
    let wrong = try #require(throws: DroverError.self) {
      try AgentSettings(["agent_id": "a", "env": ["bosh": ["mbus": ["urls": "x"]]]])
    }
    #expect(wrong.message == "env.bosh.mbus.urls: expected an array, found a string")
  }

  @Test("the default network and address follow the rules")
  func networks() throws {
    let networks = try AgentSettings(JSON.parse(Self.document)).networks
    #expect(networks.defaultNetwork(for: "gateway")?.name == "default")
    #expect(networks.defaultIP == "10.0.0.2")
    #expect(networks["other"]?.isDHCP == true && networks["default"]?.isDHCP == false)
    #expect([NetworkSettings(name: "a", ["ip": "10.0.0.9"])].defaultIP == "10.0.0.9")
    #expect(NetworkSettings(name: "v", ["type": "vip"]).isDHCP == false)
  }

  @Test("update_settings is kept in the Go agent's form")
  func updateSettings() throws {
    let text = """
      {"blobstores":null,"disk_associations":[{"name":"n","cid":"c"}],\
      "mbus":{"urls":null,"cert":{"ca":"","certificate":"","private_key":""}},"trusted_certs":"PEM"}
      """
    let settings = try UpdateSettings(JSON.parse(text))
    #expect(settings.diskAssociations == [.init(name: "n", cid: "c")])
    #expect(JSON.text(settings.value) == text)
  }

  @Test("an agent may only use its own subjects")
  func subjects() {
    #expect(AgentSubjects.subscribable(agentID: "a1") == ["agent.a1"])
    #expect(
      AgentSubjects.publishable(agentID: "a1") == [
        "hm.agent.heartbeat.a1", "hm.agent.alert.a1", "hm.agent.shutdown.a1", "director.*.a1.*",
      ])
    #expect(AgentSubjects.reply(directorID: "d", agentID: "a1", requestID: "r") == "director.d.a1.r")
  }
}
