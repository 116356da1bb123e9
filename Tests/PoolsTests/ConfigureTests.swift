import PoolsProtocol
import Surroundings
import Testing

@testable import Pools

/// What a configuration makes of what is there (reference/boskos.md 5 and 18).
@Suite struct ConfigureTests {
  private static let start = Timestamp(seconds: 1_000_000)
  private static let now = start + .seconds(100)

  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    /// `TYPE NAME STATE OWNER`
    var before: [String] = []
    var lifeCycles: [LifeCycle] = []
    var entries: [PoolsConfiguration.Entry] = []
    var after: [String]
    /// Life cycles that are left, `TYPE MIN MAX`.
    var cycles: [String] = []
    var testDescription: String { name }
  }

  private static func life(_ minimum: Int, _ maximum: Int) -> LifeCycle {
    LifeCycle(type: "dt", minimum: minimum, maximum: maximum)
  }
  private static func entry(_ minimum: Int, _ maximum: Int) -> PoolsConfiguration.Entry {
    .init(type: "dt", minimum: minimum, maximum: maximum)
  }

  static let cases: [Case] = [
    Case(
      name: "a life cycle for a type with resources keeps them", before: ["dt x free", "dt y busy o"],
      entries: [entry(0, 5)], after: ["dt x free", "dt y busy o"], cycles: ["dt 0 5"]),
    Case(
      name: "names and dynamic resources are added", before: ["t res-1 free"],
      entries: [.init(type: "t", names: ["res-1", "res-2"]), entry(1, 2)],
      after: ["dt new-1 free", "t res-1 free", "t res-2 free"], cycles: ["dt 1 2"]),
    Case(
      name: "the same again changes nothing", before: ["t a dirty", "dt x busy o"], lifeCycles: [life(1, 2)],
      entries: [.init(type: "t", names: ["a"]), entry(1, 2)], after: ["dt x busy o", "t a dirty"], cycles: ["dt 1 2"]),
    Case(
      name: "what is no longer configured goes", before: ["t a free", "dt dt_1 free"], lifeCycles: [life(1, 2)],
      after: ["dt dt_1 toBeDeleted"], cycles: ["dt 0 0"]),
    Case(name: "a life cycle without resources goes", lifeCycles: [life(1, 2)], after: []),
    Case(
      name: "what somebody holds stays", before: ["t a busy o", "dt dt_1 busy o"], lifeCycles: [life(1, 2)],
      after: ["dt dt_1 busy o", "t a busy o"], cycles: ["dt 0 0"]),
    Case(
      name: "what is going counts as gone when there are too many",
      before: ["dt dt_1 free", "dt dt_2 free", "dt dt_3 toBeDeleted"], lifeCycles: [life(0, 3)], entries: [entry(0, 2)],
      after: ["dt dt_1 free", "dt dt_2 free", "dt dt_3 toBeDeleted"], cycles: ["dt 0 2"]),
    Case(
      name: "tombstones go, unless somebody holds them", before: ["dt dt_1 tombstone", "dt dt_2 tombstone o"],
      lifeCycles: [life(0, 3)], entries: [entry(0, 3)], after: ["dt dt_2 tombstone o"], cycles: ["dt 0 3"]),
    Case(
      name: "the highest names go first when there are too many",
      before: ["dt dt_1 free", "dt dt_2 free", "dt dt_3 free", "dt dt_4 toBeDeleted", "dt dt_5 tombstone"],
      lifeCycles: [life(0, 6)], entries: [entry(0, 1)],
      after: ["dt dt_1 free", "dt dt_2 toBeDeleted", "dt dt_3 toBeDeleted", "dt dt_4 toBeDeleted"],
      cycles: ["dt 0 1"]),
    Case(
      name: "what is going counts towards the minimum",
      before: ["dt dt_1 free", "dt dt_2 toBeDeleted", "dt dt_3 toBeDeleted", "dt dt_4 tombstone"],
      lifeCycles: [life(1, 6)], entries: [entry(4, 6)],
      after: ["dt dt_1 free", "dt dt_2 toBeDeleted", "dt dt_3 toBeDeleted", "dt new-1 free"], cycles: ["dt 4 6"]),
    Case(
      name: "static ones become dynamic", before: ["dt a free", "dt b busy o"], entries: [entry(3, 5)],
      after: ["dt a free", "dt b busy o", "dt new-1 free"], cycles: ["dt 3 5"]),
    Case(
      name: "dynamic ones become static", before: ["dt a dirty", "dt x free"], lifeCycles: [life(1, 5)],
      entries: [.init(type: "dt", names: ["a"])], after: ["dt a dirty", "dt x toBeDeleted"], cycles: ["dt 0 0"]),
    Case(
      name: "a name that has another type now is made anew", before: ["t a dirty"],
      entries: [.init(type: "u", state: "cleaning", names: ["a"])], after: ["u a cleaning"]),
    Case(
      name: "a name that has another type now stays as long as somebody holds it", before: ["t a busy o"],
      entries: [.init(type: "u", names: ["a"])], after: ["t a busy o"]),
    Case(
      name: "only what nobody holds can be marked",
      before: ["dt dt_1 free", "dt dt_2 busy o", "dt dt_3 busy o", "dt dt_4 busy o"], lifeCycles: [life(0, 2)],
      entries: [entry(0, 2)],
      after: ["dt dt_1 toBeDeleted", "dt dt_2 busy o", "dt dt_3 busy o", "dt dt_4 busy o"], cycles: ["dt 0 2"]),
    Case(
      name: "what is missing of the minimum is made", lifeCycles: [life(2, 3)], entries: [entry(2, 3)],
      after: ["dt new-1 free", "dt new-2 free"], cycles: ["dt 2 3"]),
    Case(
      name: "what somebody holds counts towards the maximum",
      before: ["dt dt_1 free", "dt dt_2 free", "dt dt_3 busy o"], lifeCycles: [life(0, 2)], entries: [entry(0, 2)],
      after: ["dt dt_1 free", "dt dt_2 toBeDeleted", "dt dt_3 busy o"], cycles: ["dt 0 2"]),
    Case(
      name: "a tombstone does not count towards the minimum",
      before: ["dt dt_1 free", "dt dt_2 busy o", "dt dt_3 toBeDeleted", "dt dt_4 tombstone"],
      lifeCycles: [life(4, 6)], entries: [entry(4, 6)],
      after: ["dt dt_1 free", "dt dt_2 busy o", "dt dt_3 toBeDeleted", "dt new-1 free"], cycles: ["dt 4 6"]),
    Case(
      name: "of a type that ends, what nobody holds is marked",
      before: ["dt dt_1 free", "dt dt_2 dirty", "dt dt_3 busy o", "dt dt_4 tombstone"], lifeCycles: [life(0, 0)],
      after: ["dt dt_1 toBeDeleted", "dt dt_2 toBeDeleted", "dt dt_3 busy o"], cycles: ["dt 0 0"]),
    Case(
      name: "a type that ends is gone with its tombstones", before: ["dt dt_1 tombstone", "dt dt_2 tombstone"],
      lifeCycles: [life(0, 0)], after: []),
    Case(
      name: "a tombstone whose name is no longer configured goes", before: ["t res-1 tombstone"],
      entries: [.init(type: "t", names: ["res-2"])], after: ["t res-2 free"]),
    Case(
      name: "two entries of one static type are one pool",
      entries: [.init(type: "t", names: ["a"]), .init(type: "t", state: "dirty", names: ["b"])],
      after: ["t a free", "t b dirty"]),
  ]

  @Test("what is there follows the configuration", arguments: cases)
  func configures(_ example: Case) {
    let names = Counter()
    var engine = LeaseEngine { names.next().replacingDT() }
    for line in example.before {
      let words = line.split(separator: " ").map(String.init)
      var record = PoolRecord(type: words[0], name: words[1], state: words[2], lastUpdate: Self.start)
      record.owner = words.count > 3 ? words[3] : ""
      record.isDoomed = words[2] == "toBeDeleted"
      engine.restore(record)
    }
    for lifeCycle in example.lifeCycles { engine.restore(lifeCycle) }
    engine.configure(PoolsConfiguration(example.entries), Self.now)
    #expect(Self.shown(engine) == example.after)
    #expect(engine.lifeCycles.values.map { "\($0.type) \($0.minimum) \($0.maximum)" }.sorted() == example.cycles)
    _ = engine.takeChanges()
    engine.configure(PoolsConfiguration(example.entries), Self.now)
    #expect(engine.takeChanges() == [])
  }

  private static func shown(_ engine: LeaseEngine) -> [String] {
    engine.table.records.map { "\($0.type) \($0.name) \($0.state)\($0.isOwned ? " " + $0.owner : "")" }.sorted()
  }

  @Test("what has lived long enough is marked at a new configuration, and the minimum is made again")
  func expired() {
    let names = Counter()
    var engine = LeaseEngine { names.next().replacingDT() }
    for (name, state, owner, age) in [
      ("dt_1", "free", "", -1), ("dt_2", "free", "", 1), ("dt_3", "busy", "o", -1), ("dt_4", "tombstone", "", -1),
    ] {
      var record = PoolRecord(type: "dt", name: name, state: state, owner: owner, lastUpdate: Self.start)
      record.expiration = Self.now + .seconds(age)
      engine.restore(record)
    }
    engine.restore(Self.life(2, 6))
    engine.configure(PoolsConfiguration([Self.entry(4, 6)]), Self.now)
    #expect(
      Self.shown(engine) == ["dt dt_1 toBeDeleted", "dt dt_2 free", "dt dt_3 busy o", "dt new-1 free"])
  }

  @Test("what stays keeps its time and its data, and what is made anew has new ones")
  func keeps() {
    var engine = LeaseEngine { "new" }
    var before: [PoolRecord] = []
    for (type, name, state, owner) in [
      ("t", "a", "dirty", ""), ("t", "h", "busy", "o"), ("dt", "dt_1", "toBeDeleted", ""), ("dt", "dt_2", "busy", "o"),
      ("dt", "dt_3", "free", ""), ("t", "x", "dirty", ""),
    ] {
      var record = PoolRecord(type: type, name: name, state: state, owner: owner, lastUpdate: Self.start)
      record.userData = ["k": name]
      record.isDoomed = state == "toBeDeleted"
      record.expiration = type == "dt" ? Self.now + .seconds(state == "free" ? 1 : -1) : nil
      before.append(record)
      engine.restore(record)
    }
    engine.restore(Self.life(0, 5))
    engine.configure(
      PoolsConfiguration([
        .init(type: "t", names: ["a", "h", "b"]), .init(type: "u", names: ["x"]), Self.entry(0, 5),
      ]), Self.now)
    for record in before where record.name != "x" { #expect(engine.table[record.name]?.resource == record.resource) }
    for name in ["x", "b"] {
      #expect(engine.table[name]?.lastUpdate == Self.now && engine.table[name]?.userData == [:])
    }
    #expect(engine.table["x"]?.type == "u" && engine.table.count == 7)
  }

  @Test("static ones become some of many dynamic ones, and the static ones again, of which nothing else is left")
  func thereAndBack() {
    let names = Counter()
    var engine = LeaseEngine { names.next() }
    let fixed = PoolsConfiguration([.init(type: "dt", names: ["x", "y", "z"])])
    engine.configure(fixed, Self.start)
    engine.configure(PoolsConfiguration([Self.entry(10, 12)]), Self.now)
    #expect(engine.table.count == 10)
    for name in ["x", "y", "z"] { #expect(engine.table[name]?.lastUpdate == Self.start) }
    engine.configure(fixed, Self.now)
    let states = Dictionary(grouping: engine.table.records, by: \.state).mapValues { $0.map(\.name).sorted() }
    #expect(states["free"] == ["x", "y", "z"] && states["toBeDeleted"]?.count == 7)
    #expect(engine.lifeCycles["dt"]?.isEnding == true)
    for name in ["x", "y", "z"] { #expect(engine.table[name]?.lastUpdate == Self.start) }
    // With the last of the others the life cycle goes.
    for name in states["toBeDeleted"] ?? [] {
      _ = try? engine.acquire(names: [name], state: "toBeDeleted", destination: "cleaning", owner: "c", Self.now)
      _ = try? engine.release(name, destination: "tombstone", owner: "c", Self.now)
    }
    #expect(Self.shown(engine) == ["dt x free", "dt y free", "dt z free"] && engine.lifeCycles.isEmpty)
  }

  @Test("what was kept for its holder is removed, or made anew, when it is released")
  func later() throws {
    var engine = LeaseEngine { "never" }
    engine.configure(PoolsConfiguration([.init(type: "t", names: ["a", "b", "c"])]), Self.start)
    for _ in 0..<2 {
      _ = try engine.acquire(.init(type: "t", state: "free", destination: "busy", owner: "o"), Self.start)
    }
    engine.configure(
      PoolsConfiguration([.init(type: "t", names: ["c"]), .init(type: "u", names: ["a"])]), Self.start)
    #expect(Self.shown(engine) == ["t a busy o", "t b busy o", "t c free"])
    for name in ["a", "b"] { try engine.release(name, destination: "dirty", owner: "o", Self.now) }
    #expect(Self.shown(engine) == ["t c free", "u a free"])
    #expect(engine.table["a"]?.lastUpdate == Self.now)
  }
}

extension String {
  fileprivate func replacingDT() -> String { "new-" + dropFirst(3) }
}
