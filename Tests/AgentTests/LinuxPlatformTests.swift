import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import Agent

/// Needs to be root, namespaces, an overlay of this machine's root, and loop devices.
private let canSimulateMachine: Bool = {
  let programs = ["/usr/bin/unshare", "/usr/sbin/mkfs.ext4", "/usr/sbin/losetup", "/usr/sbin/blkid"]
  let can = geteuid() == 0 && Files.isVisible("/dev/loop-control") && programs.allSatisfy(Files.isVisible)
  if !can { print("LinuxPlatformTests: left out, since they need root, loop devices, unshare, losetup and mkfs.ext4") }
  return can
}()

@Suite(.enabled(if: canSimulateMachine), .serialized) struct LinuxPlatformTests {
  /// Becomes a machine of its own: mounts, host name, and a root whose changes go to a folder; then starts the agent.
  private static let script = """
    set -e
    ip link set lo up
    folder=$1 program=$2 device=$3
    mkdir -p $folder/disk
    mount -t tmpfs tmpfs $folder/disk
    mkdir -p $folder/disk/upper $folder/disk/work $folder/disk/root
    mount -t overlay overlay -o lowerdir=/,upperdir=$folder/disk/upper,workdir=$folder/disk/work $folder/disk/root
    root=$folder/disk/root
    mount --rbind /dev $root/dev
    mount --make-rslave $root/dev
    mount -t tmpfs tmpfs $root/dev/shm
    mount -t proc proc $root/proc
    mount --bind /sys $root/sys
    for path in ${program%/*} $folder/vcap; do
      mkdir -p $root$path
    done
    mount --bind ${program%/*} $root${program%/*}
    rm -rf $root/var/vcap
    mkdir -p $root/var/vcap
    cp -a $folder/vcap/. $root/var/vcap/
    rm -f $root/etc/resolv.conf
    chroot $root $program -P ubuntu -b /var/vcap -C /var/vcap/bosh/agent.json 2>$folder/agent.log &
    agent=$!
    for i in $(seq 500); do
      grep -q 'no connection to NATS\\|the agent ends\\|looking again' $folder/agent.log && break
      sleep 0.02
    done
    for i in $(seq 500); do grep -q 'the machine is ready' $folder/agent.log && break; sleep 0.02; done
    set +e
    echo "hostname: $(hostname)"
    echo "hostname file: $(cat $root/etc/hostname)"
    echo "hosts: $(head -1 $root/etc/hosts)"
    echo "resolv: $(tail -1 $root/etc/resolv.conf)"
    echo "ntp: $(cat $root/var/vcap/bosh/etc/ntpserver) $(cat $root/var/vcap/synced)"
    echo "firewall: $(nft list ruleset 2>/dev/null | grep -c 2822) $(nft list ruleset 2>/dev/null | grep -c 'dport 9 ')"
    echo "library: $(ls $root/var/vcap/library.a 2>/dev/null | wc -l)"
    echo "state: $(cat $root/var/vcap/bosh/agent_state.json)"
    echo "password: $(grep ^root: $root/etc/shadow | cut -d: -f2)"
    for place in var/vcap/data var/vcap/data/sys/run var/vcap/data/jobs var/log tmp dev/shm var/vcap/bosh/settings; do
      echo "$place: $(findmnt -n -o FSTYPE,OPTIONS $root/$place | tail -1)"
    done
    echo "settings: $(stat -c %a $root/var/vcap/bosh/settings/settings.json) $(ls $root/var/vcap/bosh/settings.json 2>&1 | wc -l)"
    kill -9 $agent
    wait $agent
    # The same machine after a reboot: what was in memory is gone.
    umount $root/var/vcap/bosh/canrestart $root/var/vcap/bosh/settings
    # Where the libraries of a program that was built for tests may be.
    umount $root/opt
    timeout 10 chroot $root $program -P ubuntu -b /var/vcap -C /var/vcap/bosh/agent.json 2>>$folder/second.log
    echo "second: $?"
    """

  @Test("a machine gets its name, names to ask, networks, disk, memory and time, and does not start twice")
  func machine() async throws {
    try await withTemporaryFolder { folder in
      let disk = "\(folder)/ephemeral.img"
      try await Command("truncate", "-s", "64M", disk).run()
      try await withLoopDevice(disk) { device in try await check(folder, device) }
    }
  }

  private func check(_ folder: String, _ device: String) async throws {
    try TestAgent.prepare(folder) { settings in
      settings["mbus"] = "nats://127.0.0.1:9"
      settings["ntp"] = ["time.example"]
      settings["disks"] = ["ephemeral": ["path": .string(device)]]
      // A machine's interfaces are its own: what they are called is not for this test to say.
      settings["networks"] = [
        "default": [
          "type": "manual", "ip": "10.0.0.9", "netmask": "255.255.255.0", "preconfigured": true, "dns": ["192.0.2.53"],
        ]
      ]
      settings["env"] = [
        "bosh": [
          "password": "$6$salt$hash", "swap_size": 0, "job_dir": ["tmpfs": true, "tmpfs_size": "5m"],
          "run_dir": ["tmpfs_size": "3m"], "agent": ["settings": ["tmpfs": true]],
          "remove_dev_tools": true, "remove_static_libraries": true,
        ]
      ]
    }
    let configuration: Value = [
      "Infrastructure": ["Settings": ["Sources": [["Type": "File", "SettingsPath": "/var/vcap/bosh/user_data.json"]]]]
    ]
    try Files.replace("\(folder)/vcap/bosh/agent.json", with: JSON.bytes(configuration))
    try Files.makeFolder("\(folder)/vcap/bosh/bin")
    // There is no list of development tools: that hides no other list (trap 9).
    try Files.makeFolder("\(folder)/vcap/bosh/etc")
    try writeTestFile("\(folder)/vcap/bosh/etc/static_libraries_list", "/var/vcap/library.a\n")
    try writeTestFile("\(folder)/vcap/library.a", "x")
    try writeTestFile(
      "\(folder)/vcap/bosh/bin/sync-time", "#!/bin/sh\necho synced > /var/vcap/synced\n", mode: 0o755)
    let result = try await Command(
      "unshare", "--mount", "--uts", "--net", "--propagation", "private", "bash", "-c", Self.script, "machine", folder,
      TestAgent.program, device
    ).result()
    let log = Files.textIfPresent("\(folder)/agent.log") ?? ""
    let said = Dictionary(
      result.text.split(separator: "\n").map { line in
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
      }, uniquingKeysWith: { first, _ in first })
    func expect(_ name: String, _ text: String) {
      #expect(
        said[name]?.contains(text) == true, "\(name): \(said[name] ?? "nothing")\n\(result.lastErrorLines())\n\(log)")
    }
    expect("hostname", "agent-1")
    expect("hostname file", "agent-1")
    expect("hosts", "127.0.0.1 localhost agent-1")
    expect("resolv", "nameserver 192.0.2.53")
    expect("ntp", "time.example synced")
    expect("library", "0")
    if try Files.exists("/usr/sbin/nft") { expect("firewall", "2 2") }
    expect("state", #"{"Linux":{"hosts_configured":true}}"#)
    expect("password", "$6$salt$hash")
    expect("var/vcap/data", "ext4")
    expect("var/vcap/data/sys/run", "size=3072k")
    expect("var/vcap/data/jobs", "size=5120k")
    expect("var/log", "ext4")
    expect("tmp", "ext4")
    expect("dev/shm", "noexec")
    expect("var/vcap/bosh/settings", "tmpfs")
    expect("settings", "600")
    // It refuses to run on a machine that has forgotten.
    #expect(said["second"] == "1")
    #expect(Files.textIfPresent("\(folder)/second.log")?.contains("this machine was rebooted") == true)
    #expect(Accounts.hostName() != "agent-1")
  }
}
