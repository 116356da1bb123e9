import FoundationEssentials

/// What is known of a VM, kept in its folder as `vm.json` and written before each step is taken.
struct VMRecord: Sendable, Hashable, Codable {
  /// How far a VM is in its life.
  enum Phase: String, Sendable, Hashable, Codable {
    /// It is being made; found later, it is cleaned away.
    case making
    /// It is there and should run.
    case made
    /// It is there and was stopped with the server.
    case stopped
    /// It is being deleted; found later, that is finished.
    case deleting
  }

  /// Its first process on the host, told apart from later ones with the same number.
  struct Init: Sendable, Hashable, Codable {
    var pid: Int
    var startTicks: UInt64
    var bootID: String
  }

  var id: String
  var agentID: String
  var phase: Phase
  var stemcell: String
  var resources: VMResources
  var networks: [VMNetwork]
  /// Ids of attached disks, in the order they were attached.
  var disks: [String]
  /// The last one that was started.
  var process: Init?
  /// What the director told about it, as JSON.
  var metadata: String?

  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  init(
    id: String, agentID: String, phase: Phase, stemcell: String, resources: VMResources, networks: [VMNetwork],
    disks: [String]
  ) {
    self.id = id
    self.agentID = agentID
    self.phase = phase
    self.stemcell = stemcell
    self.resources = resources
    self.networks = networks
    self.disks = disks
  }

  init(encoded bytes: [UInt8]) throws { self = try JSONDecoder().decode(VMRecord.self, from: Data(bytes)) }
}
