import Archives
import Blobs
import Clouds
import Documents
import Formats
import Logging
import Messaging
import Sealing
import Surroundings
import Synchronization
import Templates
import TestSupport
import Testing

@testable import Director

/// Everything outside a director, which survives it: store, journals, blobs, bus, cloud with VMs and agents.
final class SimulatedWorld: Sendable {
  let clock: VirtualClock
  /// What is secret in documents is sealed here, as on a real server.
  let store: any DocumentStore =
    SealKey(Array(repeating: 1, count: SealKey.size)).map { key in
      SealedDocumentStore(MemoryDocumentStore(), SealKeys(key, source: "the simulation"))
    } ?? MemoryDocumentStore()
  let journals = MemoryJournals()
  let blobs: MemoryBlobStore
  let bus: MemoryBus
  let cloud: SimulatedCloud
  let identities = SimulatedIdentities()
  let behaviour = AgentBehaviour()
  let leases: SimulatedLeases
  let surroundings: Surroundings
  private let folder: String
  private let crashes = Mutex(0)
  /// How many values were made of each variable.
  private let made = Made()

  /// How often a director died.
  var crashCount: Int { crashes.withLock { $0 } }

  private init(seed: UInt64, folder: String) {
    let clock = VirtualClock(seed: seed)
    let surroundings = clock.surroundings
    let (bus, blobs) = (MemoryBus(surroundings: surroundings), MemoryBlobStore(surroundings: surroundings))
    let behaviour = behaviour
    self.clock = clock
    self.surroundings = surroundings
    self.bus = bus
    self.blobs = blobs
    self.folder = folder
    leases = SimulatedLeases(clock: clock)
    cloud = SimulatedCloud(clock: clock) { id in
      let agent = try await SimulatedAgent(id: id, bus: bus, clock: clock, blobs: blobs, behaviour: behaviour)
      if !behaviour.fails("agent", "start") { agent.start() }
      return agent
    }
  }

  /// Runs a test in a new world with a release, a stemcell and a cloud config.
  static func run(seed: UInt64, _ body: (SimulatedWorld) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let world = SimulatedWorld(seed: seed, folder: folder)
      try await world.clock.run {
        try await world.furnish()
        try await body(world)
      }
    }
  }

  private func furnish() async throws {
    let records = Records(store)
    try await records.releases.put("data/1", try await SimulatedRelease.release("1", self, folder))
    try await records.stemcells.put(
      "debian/1",
      StemcellRecord(name: "debian", version: "1", operatingSystem: "debian", cid: "sc", apiVersion: 3))
    _ = try await Configs(records: records, surroundings: surroundings).update(
      type: "cloud", name: "default", content: SimulatedRelease.cloudConfig)
  }

  var records: Records { Records(store) }

  // MARK: Directors

  /// A new director in this world, that dies when its fuse blows.
  func director(_ fuse: Fuse) async throws -> Director {
    var engines = DirectorEngines(
      store: MortalStore(store: store, fuse: fuse), journals: MortalJournals(journals: journals, fuse: fuse),
      blobs: blobs,
      blobAddresses: BlobAddresses(
        endpoint: "https://10.254.0.1:25250", caPEM: "", signer: SignedURL(secret: Array(repeating: 7, count: 32)),
        surroundings: surroundings),
      bus: MortalBus(bus: bus, fuse: fuse), identities: MortalIdentities(identities: identities, fuse: fuse),
      cloud: MortalCloud(cloud: cloud, fuse: fuse), renderer: PropertiesRenderer(),
      leases: MortalLeases(leases: leases, fuse: fuse), surroundings: surroundings,
      logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }, workDirectory: folder)
    // Real ones are made on threads, which the simulation does not wait for.
    let made = made
    engines.secrets = { name, type, _, authority in
      let number = made.next(name)
      guard type == "certificate" else { return .string("\(type)-\(number)") }
      return [
        "certificate": .string("\(name)-\(number)"), "ca": authority?["certificate"] ?? .null, "private_key": "k",
      ]
    }
    return try await Director(Director.Identity(name: "simulation", id: "d1", version: "1"), engines)
  }

  /// Runs a body with a director that does not die.
  func withDirector<Result: Sendable>(_ body: (Director) async throws -> Result) async throws -> Result {
    let director = try await director(Fuse(clock))
    try await director.start()
    do {
      let result = try await body(director)
      await director.stop()
      return result
    } catch {
      await director.stop()
      throw error
    }
  }

  /// Has a director that does not die deploy the release.
  func deploy() async throws -> TaskRecord {
    try await withDirector { director in
      let id = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
      return try await director.tasks.wait(for: id)
    }
  }

  /// Has a director do something while it dies up to `crashes` times; always another takes over.
  ///
  /// - Parameters:
  ///   - deeds: the most that a director does before it dies.
  ///   - first: exactly so much the first one does, when that is given.
  ///   - meanwhile: done by the first director when the tasks are under way.
  func survive(
    crashes: Int, deeds: Int, first: Int? = nil, _ request: (Director) async throws -> [Int],
    meanwhile: @Sendable (Director, [Int]) async throws -> Void = { _, _ in }
  ) async throws -> [TaskRecord] {
    var fuse = Fuse(clock)
    var director = try await director(fuse)
    try await director.start()
    let ids = try await request(director)
    try await meanwhile(director, ids)
    for number in 0...crashes {
      if number < crashes {
        let life = number == 0 ? first : nil
        fuse.arm(deeds: life ?? 1 + clock.chance(deeds), isLastDone: clock.chance(2) == 0)
      }
      if number > 0 {
        let starter = surroundings.task { [director] in try await director.start() }
        let watcher = surroundings.task { [fuse] in if await fuse.waitUntilBlown() { starter.cancel() } }
        _ = await starter.result
        watcher.cancel()
      }
      if await finish(ids, director, fuse) { break }
      self.crashes.withLock { $0 += 1 }
      let next = Fuse(clock)
      fuse = next
      director = try await self.director(next)
    }
    let tasks = try await ids.asyncMap { try await self.task($0) }
    return tasks
  }

  /// Waits until the tasks have ended or the director is dead; then lets it go. Returns whether they have ended.
  private func finish(_ ids: [Int], _ director: Director, _ fuse: Fuse) async -> Bool {
    let killer = surroundings.task {
      guard await fuse.waitUntilBlown() else { return }
      await director.stop()
      fuse.release()
    }
    for id in ids { _ = try? await director.tasks.wait(for: id) }
    let lives = fuse.disarm()
    await killer.value
    if lives { await director.stop() }
    fuse.release()
    return lives
  }

  func task(_ id: Int) async throws -> TaskRecord {
    try await DocumentCollection<TaskRecord>(store, kind: "task").require(TaskRecord.documentName(id)).body
  }

  // MARK: Looking

  /// The texts of a task's journal, line by line; reports one that does not end in a line feed.
  func lines(_ task: Int, _ kind: TaskOutput.Kind, sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> [String]
  {
    let name = TaskOutput.journal(task: task, kind)
    let bytes = try await journals.read(name, from: 0, limit: .max)
    #expect(bytes.isEmpty || bytes.last == 0x0A, "\(name) ends in a part of a line", sourceLocation: sourceLocation)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// What the script of an errand printed, as it was brought home.
  func errandOutput(_ task: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [String: String] {
    var output: [String: [UInt8]] = [:]
    for line in try await lines(task, .errand).dropFirst() {
      let value = try JSON.parse(line)
      if OutputPositions.read(value) != nil { continue }
      let instance = value["instance"]?.string ?? ""
      let bytes = try #require(value["data"]?.string.flatMap(Base64.decode))
      #expect(value["offset"]?.int == output[instance]?.count ?? 0, sourceLocation: sourceLocation)
      output[instance, default: []] += bytes
    }
    return output.mapValues { String(decoding: $0, as: UTF8.self) }
  }

  /// Reports what must never be so while nothing runs.
  func checkTidy(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    #expect(cloud.violations == [], sourceLocation: sourceLocation)
    #expect(behaviour.violations == [], sourceLocation: sourceLocation)
    #expect(leases.violations == [], sourceLocation: sourceLocation)
    #expect(leases.held == [:], "something is still leased", sourceLocation: sourceLocation)
    #expect(try await records.leaseTurns.list().isEmpty, sourceLocation: sourceLocation)
    let instances = try await records.instances.list().map(\.body)
    #expect(
      Set(cloud.vms.keys) == Set(instances.compactMap(\.vm?.cid)), "VMs and instances differ",
      sourceLocation: sourceLocation)
    #expect(
      identities.all == Set(instances.compactMap(\.vm?.agentID)), "identities and VMs differ",
      sourceLocation: sourceLocation)
    #expect(try await records.compilationVMs.list().isEmpty, sourceLocation: sourceLocation)
    let held = try await records.addresses.list().map { "\($0.body.holder) \($0.body.address)" }
    let wanted = instances.flatMap { instance in
      instance.addresses.values.map { "\(instance.documentName) \($0)" }
    }
    #expect(held.sorted() == wanted.sorted(), "addresses and instances differ", sourceLocation: sourceLocation)
    let disks = Set(instances.flatMap(\.disks).map(\.cid) + (try await records.orphanDisks.list().map(\.name)))
    // The CPI's create_disk has no identity: a director that dies before it has the answer loses a disk, and nothing else.
    #expect(disks.isSubset(of: cloud.disks), "disks are gone", sourceLocation: sourceLocation)
    #expect(cloud.disks.count <= disks.count + crashCount, "disks are left over", sourceLocation: sourceLocation)
    for task in try await DocumentCollection<TaskRecord>(store, kind: "task").list().map(\.body) {
      for kind in TaskOutput.Kind.allCases {
        for line in try await lines(task.id, kind) where kind == .event || kind == .result || kind == .errand {
          if kind == .result, task.type != "run_errand" { continue }
          #expect(throws: Never.self, "\(line)", sourceLocation: sourceLocation) { try JSON.parse(line) }
        }
      }
    }
  }

  /// The names of what was run on each instance of a group, in order, without what may be repeated.
  func deeds(_ group: String) -> [[String]] {
    let deeds = behaviour.deeds.filter { $0.group == group && $0.name != "apply identity" }
    return Dictionary(grouping: deeds, by: \.instance).sorted { $0.key < $1.key }.map { $0.value.map(\.name) }
  }
}

/// Counts what was made.
private final class Made: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func next(_ name: String) -> Int {
    counts.withLock { counts in
      counts[name, default: 0] += 1
      return counts[name, default: 0]
    }
  }
}

/// Renders templates as they are, with the job's properties behind them.
struct PropertiesRenderer: TemplateRenderer {
  func render(_ request: GroupRenderRequest) async throws -> [RenderedJob] {
    request.jobs.map { job in
      var properties = JSON.bytes(job.spec["properties"] ?? .null)
      if let leases = job.spec["leases"] { properties += JSON.bytes(leases) }
      return RenderedJob(
        jobName: job.jobName, monit: job.monit,
        files: job.templates.map {
          RenderedFile(source: $0.source, destination: $0.destination, content: $0.content + properties)
        }, linksJSON: [])
    }
  }
}
