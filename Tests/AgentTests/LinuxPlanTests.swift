import AgentProtocol
import Formats
import Testing

@testable import Agent

@Suite struct NetworkPlanTests {
  private typealias Interface = NetworkPlan.Interface

  private func network(_ name: String, _ raw: ValueObject) -> NetworkSettings { NetworkSettings(name: name, raw) }

  @Test("an address, its gateway, DNS servers and routes become one file of the interface")
  func fixed() throws {
    let plan = try NetworkPlan(
      [
        network(
          "default",
          [
            "type": "manual", "ip": "10.0.0.5", "netmask": "255.255.255.0", "gateway": "10.0.0.1",
            "dns": ["8.8.8.8", "8.8.4.4"],
            "routes": [["Destination": "10.1.0.0", "Gateway": "10.0.0.9", "Netmask": "255.255.0.0"]],
          ])
      ], interfaces: [Interface(name: "eth0", mac: "aa:bb")], present: ["10_eth9.network", "99-default.network"])
    #expect(
      plan.files == [
        "/etc/systemd/network/10_eth0.network": """
        # Written by drover-agent at every start.
        [Match]
        Name=eth0

        [Address]
        Address=10.0.0.5/24

        [Network]
        Gateway=10.0.0.1
        DNS=8.8.8.8
        DNS=8.8.4.4

        [DHCP]
        UseDomains=yes
        UseMTU=yes

        [Route]
        Destination=10.1.0.0/16
        Gateway=10.0.0.9

        """
      ])
    #expect(plan.stale == ["/etc/systemd/network/10_eth9.network"])
    #expect(plan.addresses == ["eth0": ["10.0.0.5"]])
    let steps = try plan.steps(current: plan.files, resolver: .plain, restart: "/restart")
    #expect(steps.contains(.remove("/etc/systemd/network/10_eth9.network")))
    #expect(steps.contains(.runIfPresent("/restart", mayFail: false)))
    // Nothing changed: nothing is written and the networks are not restarted.
    var settled = plan
    settled.stale = []
    #expect(
      try settled.steps(current: plan.files, resolver: .plain, restart: "/restart")
        == [
          .write(
            "/etc/resolv.conf",
            text: "# Written by drover-agent at every start.\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n", mode: 0o644)
        ])
  }

  @Test("networks find their interfaces by hardware address; only one leads out; interfaces without one use DHCP")
  func several() throws {
    let plan = try NetworkPlan(
      [
        network("a", ["type": "dynamic", "mac": "AA:01", "default": ["dns"], "dns": ["1.1.1.1"]]),
        network(
          "b",
          ["ip": "10.0.0.5", "netmask": "255.255.255.0", "gateway": "10.0.0.1", "mac": "aa:02", "default": ["gateway"]]),
        network("v", ["type": "vip", "ip": "1.2.3.4"]),
      ],
      interfaces: [
        Interface(name: "eth0", mac: "aa:01"), Interface(name: "eth1", mac: "aa:02"),
        Interface(name: "eth2", mac: "aa:03"),
      ], present: [])
    let files = plan.files.mapValues { $0.split(separator: "\n").map(String.init) }
    let first = try #require(files["/etc/systemd/network/10_eth0.network"])
    #expect(first.contains("DHCP=yes") && first.contains("UseRoutes=no") && first.contains("DNS=1.1.1.1"))
    let second = try #require(files["/etc/systemd/network/10_eth1.network"])
    #expect(second.contains("Gateway=10.0.0.1") && !second.contains("UseRoutes=no") && !second.contains("DHCP=yes"))
    #expect(files["/etc/systemd/network/10_eth2.network"]?.contains("DHCP=yes") == true)
    #expect(plan.dns == ["1.1.1.1"])
  }

  @Test("where the cloud has configured the networks, only names are left to resolve")
  func preconfigured() throws {
    let plan = try NetworkPlan(
      [network("a", ["ip": "10.0.0.5", "preconfigured": true, "dns": ["1.1.1.1"]])], interfaces: [],
      present: ["10_eth0.network"])
    #expect(plan.files.isEmpty && plan.stale.isEmpty && plan.dns == ["1.1.1.1"])
  }

  @Test(
    "what does not fit together is named",
    arguments: [
      (["mac": "aa:09"], "networks.n: no interface has the address aa:09; there are eth0 (aa:01)"),
      (
        ["ip": "10.0.0.5", "netmask": "255.0.255.0", "mac": "aa:01"], "networks.n.netmask: '255.0.255.0' is no netmask"
      ),
      (["ip": "1.2.3.4\nx", "netmask": "255.0.0.0", "mac": "aa:01"], "networks.n.ip: '1.2.3.4\nx' is no address"),
      (
        ["ip": "1.2.3.4", "netmask": "255.0.0.0", "mac": "aa:01", "dns": ["x y"]], "networks.n.dns: 'x y' is no address"
      ),
    ] as [(ValueObject, String)])
  func wrong(raw: ValueObject, message: String) throws {
    let error = try #require(throws: DroverError.self) {
      try NetworkPlan([network("n", raw)], interfaces: [Interface(name: "eth0", mac: "aa:01")], present: [])
    }
    #expect(error.message == message)
  }

  @Test(
    "netmasks have a length",
    arguments: [("255.255.255.255", 32), ("255.255.254.0", 23), ("0.0.0.0", 0), ("ffff:ffff:ffff:ffff::", 64)])
  func prefixes(netmask: String, length: Int) throws { #expect(try NetworkPlan.prefix(netmask, "n") == length) }

  @Test("each way of resolving names gets its files")
  func resolvers() throws {
    let resolved = try NetworkPlan.resolverSteps(["1.1.1.1", "2.2.2.2"], .resolved)
    #expect(
      resolved.first
        == .write("/etc/systemd/resolved.conf.d/10-bosh.conf", text: "[Resolve]\nDNS=1.1.1.1 2.2.2.2\n", mode: 0o644))
    let resolvconf = try NetworkPlan.resolverSteps(["1.1.1.1"], .resolvconf)
    #expect(resolvconf.contains(.link("/etc/resolv.conf", target: "/run/resolvconf/resolv.conf")))
    #expect(try NetworkPlan.resolverSteps([], .plain).isEmpty)
  }
}

@Suite struct EphemeralDiskPlanTests {
  private static let gigabyte: Int64 = 1 << 30

  private func plan(
    _ disk: EphemeralDiskPlan.Disk, swap: Int? = nil, canPartition: Bool = true
  ) throws -> [MachineStep] {
    try EphemeralDiskPlan(
      disk, swapMegabytes: swap, memoryBytes: Self.gigabyte, canPartition: canPartition,
      agentID: "a-long-name-of-an-agent-which-is-cut", data: "/data"
    ).steps
  }

  @Test("a blank disk is partitioned into swap and data, where there is a tool for it")
  func blank() throws {
    let steps = try plan(.init(device: "/dev/sdb", bytes: 4 * Self.gigabyte))
    guard case .run(let arguments, _) = steps.first else {
      Issue.record("expected a command first")
      return
    }
    let label = "bosh-partition-a-long-name-of-an-"
    #expect(arguments.contains("label: gpt\nsize=1048576KiB, name=\(label)\nname=\(label)\n"))
    #expect(arguments.last == "/dev/sdb")
    #expect(
      steps.contains(.run(["mkswap", "/dev/sdb1"], mayFail: false)) && steps.last == .mount("/dev/sdb2", on: "/data"))
    let without = try plan(.init(device: "/dev/nvme1n1", bytes: 4 * Self.gigabyte), swap: 0)
    #expect(!without.contains(.run(["mkswap", "/dev/nvme1n1p1"], mayFail: false)))
    #expect(without.last == .mount("/dev/nvme1n1p1", on: "/data"))
  }

  @Test("without the tool it is one file system, with swap in a file")
  func whole() throws {
    let steps = try plan(.init(device: "/dev/sdb", bytes: 4 * Self.gigabyte), swap: 0, canPartition: false)
    #expect(steps == [.run(["mkfs.ext4", "-q", "-F", "/dev/sdb"], mayFail: false), .mount("/dev/sdb", on: "/data")])
    let swapping = try plan(.init(device: "/dev/sdb", bytes: 4 * Self.gigabyte), swap: 10, canPartition: false)
    #expect(swapping.last == .run(["swapon", "/data/swapfile"], mayFail: true))
  }

  @Test("a disk that was made ready before is used as it is, and one with something else on it is not touched")
  func used() throws {
    let partitioned = EphemeralDiskPlan.Disk(
      device: "/dev/sdb", bytes: Self.gigabyte, partitions: ["/dev/sdb1", "/dev/sdb2"], content: "gpt")
    #expect(
      try plan(partitioned) == DiskSteps.finish(swap: "/dev/sdb1", data: "/dev/sdb2") + [
        .run(["swapon", "/dev/sdb1"], mayFail: true), .mount("/dev/sdb2", on: "/data"),
      ])
    #expect(
      try plan(.init(device: "/dev/sdb", bytes: Self.gigabyte, content: "ext4"), swap: 0)
        == [.mount("/dev/sdb", on: "/data")])
    #expect(throws: DroverError.self) {
      try plan(.init(device: "/dev/sdb", bytes: Self.gigabyte, content: "crypto_LUKS"))
    }
    #expect(throws: DroverError.self) { try plan(.init(device: "/dev/sdb", bytes: 1 << 20), swap: 0) }
  }

  @Test(
    "swap is as asked for, or as large as memory, at most half the disk",
    arguments: [
      (0, 8, 4, 0), (nil, 8, 4, 4096), (nil, 4, 4, 2048), (100, 8, 4, 100), (-1, 8, 4, 0), (999_999, 1, 4, 1008),
    ] as [(Int?, Int64, Int64, Int64)])
  func swap(megabytes: Int?, disk: Int64, memory: Int64, result: Int64) {
    #expect(
      EphemeralDiskPlan.swapBytes(megabytes, disk: disk * Self.gigabyte, memory: memory * Self.gigabyte) == result << 20
    )
  }
}

@Suite struct LinuxPlanTests {
  private func plan(_ bosh: ValueObject = [:], id: String = "agent-1", _ options: LinuxOptions = .init()) throws
    -> LinuxPlan
  {
    LinuxPlan(
      settings: EffectiveSettings(
        document: try AgentSettings(["agent_id": .string(id), "ntp": ["t1", "t2"], "env": ["bosh": .object(bosh)]]),
        update: UpdateSettings(), diskHints: [:]), options: options, layout: VMLayout())
  }

  @Test("a machine is named once, after its agent")
  func naming() throws {
    let steps = try plan().naming(hostsConfigured: false)
    #expect(
      steps.first == .setHostName("agent-1") && steps.contains(.write("/etc/hostname", text: "agent-1\n", mode: 0o644)))
    #expect(try plan().naming(hostsConfigured: true).isEmpty)
    #expect(throws: DroverError.self) { try plan(id: "a b").naming(hostsConfigured: false) }
  }

  @Test("run folders are in memory always, jobs when the settings say so, with the sizes they say")
  func memory() throws {
    #expect(try plan().memory().last == .tmpfs("/var/vcap/data/sys/run", size: "16m", mode: 0o770))
    let steps = try plan(["job_dir": ["tmpfs": true, "tmpfs_size": "37m"], "run_dir": ["tmpfs_size": "20m"]]).memory()
    #expect(steps.contains(.tmpfs("/var/vcap/data/sys/run", size: "20m", mode: 0o770)))
    #expect(steps.contains(.tmpfs("/var/vcap/data/jobs", size: "37m", mode: 0o750)))
    #expect(steps.contains(.tmpfs("/var/vcap/data/sensitive_blobs", size: "37m", mode: 0o700)))
  }

  @Test("time servers are those of env when it names any, even none")
  func time() throws {
    #expect(try plan().time().first == .write("/var/vcap/bosh/etc/ntpserver", text: "t1 t2", mode: 0o644))
    #expect(try plan(["ntp": ["x"]]).time().first == .write("/var/vcap/bosh/etc/ntpserver", text: "x", mode: 0o644))
    #expect(try plan(["ntp": []]).time().isEmpty)
  }

  @Test("IPv6 is switched on in the stemcell's file and at once, when it is asked for")
  func ipv6() throws {
    #expect(try plan().ipv6(sysctl: "net.ipv6.conf.all.disable_ipv6=1\n").isEmpty)
    let steps = try plan(["ipv6": ["enable": true]]).ipv6(sysctl: "a=1\nnet.ipv6.conf.all.disable_ipv6=1\n")
    #expect(
      steps.first == .write(LinuxPlan.sysctlFile, text: "a=1\nnet.ipv6.conf.all.disable_ipv6=0\n", mode: 0o644))
    #expect(steps.count == 5)
    #expect(steps.contains(.run(["sysctl", "-q", "-w", "net.ipv6.conf.all.accept_ra=1"], mayFail: true)))
  }

  @Test("a kernel that was started without IPv6 is started again, once the boot loader's file allows it")
  func bootLoader() throws {
    let path = LinuxPlan.bootLoaderFiles[0]
    let on = try plan(["ipv6": ["enable": true]])
    let steps = on.ipv6(sysctl: nil, bootLoader: (path, "linux /vmlinuz ro ipv6.disable=1 quiet\n"))
    #expect(steps.count == 2)
    #expect(steps.first == .write(path, text: "linux /vmlinuz ro  quiet\n", mode: 0o600))
    guard case .restartMachine = steps.last else {
      Issue.record("expected a restart")
      return
    }
    #expect(on.ipv6(sysctl: nil, bootLoader: (path, "linux /vmlinuz ro quiet\n")).count == 4)
    #expect(try plan().ipv6(sysctl: nil, bootLoader: (path, "ipv6.disable=1")).isEmpty)
  }

  @Test("IPv4 addresses are announced on their interfaces")
  func announcements() {
    #expect(
      LinuxPlan.announcements(["eth1": ["10.0.1.5", "fd00::5"], "eth0": ["10.0.0.5"]]) == [
        ["arping", "-c", "1", "-U", "-I", "eth0", "10.0.0.5"], ["arping", "-c", "1", "-U", "-I", "eth1", "10.0.1.5"],
      ])
  }

  @Test("the system's temporary folders are shown from the data disk, unless agent.json leaves them")
  func temporary() throws {
    let bind = MachineStep.bind("/var/vcap/data/root_tmp", on: "/tmp")
    #expect(try plan().places().contains(bind))
    #expect(try !plan([:], try LinuxOptions(["usedefaulttmpdir": true])).places().contains(bind))
  }

  @Test("only whole paths of a list are removed")
  func removals() {
    #expect(
      LinuxPlan.removals("/usr/bin/gcc\n\n/\nrelative\n/a/../b\n /lib/x.a\n")
        == [.remove("/usr/bin/gcc"), .remove("/lib/x.a")])
    #expect(LinuxPlan.removals(nil).isEmpty)
  }

  @Test("development tools and static libraries are removed each for itself, also when one list is missing (trap 9)")
  func lists() throws {
    let lists = ["dev_tools_file_list": "/usr/bin/gcc\n", "static_libraries_list": "/lib/x.a\n"]
    let both = try plan(["remove_dev_tools": true, "remove_static_libraries": true])
    #expect(both.removals { lists[$0] } == [.remove("/usr/bin/gcc"), .remove("/lib/x.a")])
    #expect(both.removals { $0 == "static_libraries_list" ? lists[$0] : nil } == [.remove("/lib/x.a")])
    #expect(both.removals { $0 == "dev_tools_file_list" ? lists[$0] : nil } == [.remove("/usr/bin/gcc")])
    #expect(try plan(["remove_static_libraries": true]).removals { lists[$0] } == [.remove("/lib/x.a")])
    #expect(try plan().removals { lists[$0] }.isEmpty)
  }

  @Test("a disk's name is what this kernel may call it")
  func devices() {
    #expect(DeviceNames.candidates("/dev/sdb") == ["/dev/xvdb", "/dev/vdb", "/dev/sdb"])
    #expect(DeviceNames.candidates("/dev/nvme0n1") == ["/dev/nvme0n1"])
  }
}
