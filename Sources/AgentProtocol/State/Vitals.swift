public import Formats

/// How a machine is doing. The numbers are texts on the wire, except the uptime (reference/agent.md 15).
public struct Vitals: Sendable, Hashable {
  /// Percent of the time since the last sample, one decimal.
  public struct CPU: Sendable, Hashable {
    public var system: String
    public var user: String
    public var wait: String
    public init(system: String, user: String, wait: String) {
      self.system = system
      self.user = user
      self.wait = wait
    }
  }

  /// Whole percents in use.
  public struct Disk: Sendable, Hashable {
    public var percent: String
    public var inodePercent: String
    public init(percent: String, inodePercent: String) {
      self.percent = percent
      self.inodePercent = inodePercent
    }
  }

  public struct Memory: Sendable, Hashable {
    public var kilobytes: String
    public var percent: String
    public init(kilobytes: String, percent: String) {
      self.kilobytes = kilobytes
      self.percent = percent
    }
  }

  public var cpu: CPU
  /// `system`, and `ephemeral` and `persistent` where these are mount points; in this order.
  public var disks: [(name: String, disk: Disk)] {
    get { diskNames.compactMap { name in diskUse[name].map { (name, $0) } } }
    set {
      diskNames = newValue.map(\.name)
      diskUse = Dictionary(newValue.map { ($0.name, $0.disk) }, uniquingKeysWith: { _, last in last })
    }
  }
  private var diskNames: [String] = []
  private var diskUse: [String: Disk] = [:]
  /// The averages of 1, 5 and 15 minutes.
  public var load: [String]
  public var memory: Memory
  public var swap: Memory
  public var uptimeSeconds: Int

  public init(
    cpu: CPU, disks: [(name: String, disk: Disk)], load: [String], memory: Memory, swap: Memory, uptimeSeconds: Int
  ) {
    self.cpu = cpu
    self.load = load
    self.memory = memory
    self.swap = swap
    self.uptimeSeconds = uptimeSeconds
    self.disks = disks
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "vitals")
    func text(_ path: String...) -> String {
      path.reduce(Optional(value)) { $0?[$1] }?.scalarText ?? ""
    }
    self.init(
      cpu: CPU(system: text("cpu", "sys"), user: text("cpu", "user"), wait: text("cpu", "wait")),
      disks: (try reader.optionalObject("disk") ?? [:]).map { name, disk in
        (
          name,
          Disk(
            percent: disk["percent"]?.scalarText ?? "", inodePercent: disk["inode_percent"]?.scalarText ?? "")
        )
      },
      load: try reader.strings("load"),
      memory: Memory(kilobytes: text("mem", "kb"), percent: text("mem", "percent")),
      swap: Memory(kilobytes: text("swap", "kb"), percent: text("swap", "percent")),
      uptimeSeconds: value["uptime"]?["secs"]?.int ?? 0)
  }

  public var value: Value {
    [
      "cpu": ["sys": .string(cpu.system), "user": .string(cpu.user), "wait": .string(cpu.wait)],
      "disk": .object(
        ValueObject(
          disks.map { name, disk in
            (name, ["inode_percent": .string(disk.inodePercent), "percent": .string(disk.percent)])
          })),
      "load": Value(load),
      "mem": ["kb": .string(memory.kilobytes), "percent": .string(memory.percent)],
      "swap": ["kb": .string(swap.kilobytes), "percent": .string(swap.percent)],
      "uptime": ["secs": .int(uptimeSeconds)],
    ]
  }
}
