import Processes
import Testing

@Suite struct ProcessStatTests {
  private static func line(_ pid: String, _ name: String, _ state: String = "S") -> String {
    "\(pid) (\(name)) \(state) 7 8 9 0 -1 4194560 1 0 0 0 10 5 0 0 20 0 1 0 4242 1000 33 18446744073709551615"
  }

  @Test(
    "reads the fields of /proc/PID/stat, whatever the process calls itself",
    arguments: ["sleep", "a b", "(x) R 1 2", ")", "", "x\n(y"])
  func names(_ name: String) throws {
    let stat = try #require(ProcessStat.parse(Self.line("123", name)))
    #expect(stat.pid == 123)
    #expect(stat.name == name)
    #expect(stat.parent == 7 && stat.group == 8 && stat.session == 9)
    #expect(stat.cpuTicks == 15)
    #expect(stat.startTicks == 4242)
    #expect(stat.residentPages == 33)
    #expect(stat.isAlive)
  }

  @Test(
    "knows which states are alive",
    arguments: [("R", true), ("S", true), ("D", true), ("T", true), ("Z", false), ("X", false)])
  func states(_ state: String, _ isAlive: Bool) throws {
    #expect(try #require(ProcessStat.parse(Self.line("1", "x", state))).isAlive == isAlive)
  }

  @Test(
    "takes nothing for a process that is none",
    arguments: [
      "", "1", "1 (x", "1 (x) R", "x (y) S 7 8 9", ")(", "1 (x) SS 7 8 9 0 0 0 0 0 0 0 1 1 0 0 0 0 0 0 1 1 1",
    ])
  func malformed(_ text: String) {
    #expect(ProcessStat.parse(text) == nil)
  }
}

@Suite struct ProcessTableTests {
  private let table = ProcessTable(
    [
      (10, 1, 10, "S"), (11, 10, 10, "S"), (12, 11, 12, "S"), (13, 1, 10, "S"), (14, 11, 10, "Z"), (20, 1, 20, "S"),
    ].compactMap { pid, parent, session, state in
      ProcessStat.parse("\(pid) (p) \(state) \(parent) \(session) \(session) 0 0 0 0 0 0 0 1 1 0 0 0 0 0 0 5 0 2")
    })

  @Test("finds children, and all below a process, each after its parent")
  func descendants() {
    #expect(table.children(of: 11).map(\.pid) == [12, 14])
    #expect(table.descendants(of: 10).map(\.pid) == [11, 12, 14])
    #expect(table.descendants(of: 99).isEmpty)
  }

  @Test("finds the living members of a session, also those whose parent is gone")
  func members() {
    #expect(table.members(ofSessionOrGroup: 10).map(\.pid) == [10, 11, 13])
    #expect(table.members(ofSessionOrGroup: 0).isEmpty)
    #expect(table.members(ofSessionOrGroup: -1).isEmpty)
  }

  @Test("adds up what a tree uses")
  func usage() throws {
    let usage = try #require(table.usage(ofTreeAt: 10))
    #expect(usage.children == 3)
    #expect(usage.totalResidentKilobytes == 4 * usage.residentKilobytes)
    #expect(table.usage(ofTreeAt: 14) == nil)
    #expect(table.usage(ofTreeAt: 99) == nil)
  }
}
