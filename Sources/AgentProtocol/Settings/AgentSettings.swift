public import Formats

/// The settings document that a cloud writes for an agent (reference/agent.md 4).
public struct AgentSettings: Sendable, Hashable {
  public var agentID: String
  public var vmName: String
  /// `nats://host:port` or `https://user:password@host:port`; `env.bosh.mbus.urls` count more.
  public var mbus: String
  public var ntp: [String]
  public var blobstore: BlobstoreSettings?
  public var disks: Disks
  public var networks: [NetworkSettings]
  public var env: AgentEnvironment

  /// The disks of a VM.
  public struct Disks: Sendable, Hashable {
    public var system: String
    public var ephemeral: DiskHint?
    /// By disk CID.
    public var persistent: [String: DiskHint]
    public var rawEphemeral: [DiskHint]

    public init(
      system: String = "", ephemeral: DiskHint? = nil, persistent: [String: DiskHint] = [:],
      rawEphemeral: [DiskHint] = []
    ) {
      self.system = system
      self.ephemeral = ephemeral
      self.persistent = persistent
      self.rawEphemeral = rawEphemeral
    }
  }

  public init(
    agentID: String, vmName: String = "", mbus: String = "", ntp: [String] = [], blobstore: BlobstoreSettings? = nil,
    disks: Disks = Disks(), networks: [NetworkSettings] = [], env: AgentEnvironment = AgentEnvironment()
  ) {
    self.agentID = agentID
    self.vmName = vmName
    self.mbus = mbus
    self.ntp = ntp
    self.blobstore = blobstore
    self.disks = disks
    self.networks = networks
    self.env = env
  }

  /// - Throws: ``DroverError`` with code `invalid`, naming the member.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "settings")
    agentID = try reader.string("agent_id")
    vmName = try reader.optionalReader("vm")?.optionalString("name") ?? ""
    mbus = try reader.optionalString("mbus") ?? ""
    ntp = try reader.strings("ntp")
    blobstore = try reader.optionalReader("blobstore").map(BlobstoreSettings.init)
    disks = try reader.optionalReader("disks").map(Disks.init) ?? Disks()
    networks = try (reader.optionalObject("networks") ?? [:]).map { name, network in
      NetworkSettings(name: name, try FieldReader(network, at: reader.place("networks.\(name)")).object)
    }
    env = try AgentEnvironment(reader.optionalObject("env") ?? [:])
  }

  public var value: Value {
    var object: ValueObject = [
      "agent_id": .string(agentID), "vm": ["name": .string(vmName)], "mbus": .string(mbus), "ntp": Value(ntp),
    ]
    if let blobstore { object["blobstore"] = blobstore.value }
    object["disks"] = disks.value
    object["networks"] = .object(ValueObject(networks.map { ($0.name, .object($0.raw)) }))
    object["env"] = .object(env.raw)
    return .object(object)
  }
}

extension AgentSettings.Disks {
  init(_ reader: FieldReader) throws {
    self.init(system: try reader.optionalString("system") ?? "")
    if let hint = reader.value("ephemeral"), hint != .string("") {
      ephemeral = try DiskHint(hint, at: reader.place("ephemeral"))
    }
    for (cid, hint) in try reader.optionalObject("persistent") ?? [:] {
      persistent[cid] = try DiskHint(hint, at: reader.place("persistent.\(cid)"))
    }
    rawEphemeral = try (reader.optionalArray("raw_ephemeral") ?? []).map {
      try DiskHint($0, at: reader.place("raw_ephemeral"))
    }
  }

  var value: Value {
    [
      "system": .string(system), "ephemeral": ephemeral?.value ?? "",
      "persistent": .object(
        ValueObject(persistent.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) })),
      "raw_ephemeral": .array(rawEphemeral.map(\.value)),
    ]
  }
}
