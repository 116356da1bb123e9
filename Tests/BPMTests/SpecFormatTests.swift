import Containers
import Formats
import TestSupport
import Testing

@testable import BPM

@Suite("bpm spec")
struct SpecFormatTests {
  private func plan(_ change: (inout ProcessConfiguration) -> Void = { _ in }) throws -> ContainerSpec {
    var process = ProcessConfiguration(name: "web", executable: "/bin/x")
    change(&process)
    return ContainerSpec(
      names: try JobProcess(job: "web", process: "web"), process: process, user: .init(uid: 1000, gid: 1000),
      host: HostFeatures())
  }

  @Test("As a pod it keeps command, user, environment, capabilities, limits and mounts")
  func kubernetes() throws {
    let plan = try plan {
      $0.limits.memory = "1G"
      $0.capabilities = ["KILL"]
      $0.environment = ["A": "$(B)"]
      $0.unsafe.usesHostProcesses = true
    }
    let pod = try YAML.parse(KubernetesPod(spec: plan.build().spec, plan: plan).text)
    let container = try #require(pod["spec"]?["containers"]?[0])
    #expect(container["command"]?[4] == "/bin/x" && container["env"]?[0] == ["name": "A", "value": "$$(B)"])
    #expect(container["securityContext"]?["runAsUser"] == 1000)
    #expect(container["securityContext"]?["capabilities"] == ["drop": ["ALL"], "add": ["KILL"]])
    #expect(container["resources"]?["limits"] == ["memory": "1073741824"] && pod["spec"]?["hostPID"] == true)
    #expect(container["volumeMounts"]?.array?.count == pod["spec"]?["volumes"]?.array?.count)
    #expect(container["volumeMounts"]?[0] == ["name": "mount-0", "mountPath": "/bin", "readOnly": true])
  }

  @Test("As a unit it keeps them too, with what is special to systemd escaped")
  func systemd() throws {
    let plan = try plan {
      $0.arguments = ["50%", "$x", "a \"b\""]
      $0.limits.openFiles = 9
      $0.limits.memory = "1M"
      $0.limits.cpuQuota = 0.5
      $0.shutdownSignal = "INT"
    }
    let unit = SystemdUnit(spec: plan.build().spec, plan: plan).text
    for line in [
      "ExecStart=\"/var/vcap/packages/bpm/bin/tini\" \"-w\" \"-s\" \"--\" \"/bin/x\" \"50%%\" \"$$x\" \"a \\\"b\\\"\"",
      "User=1000", "Environment=\"LANG=en_US.UTF-8\"", "MemoryMax=1048576", "LimitNOFILE=9", "CPUQuota=50%",
      "KillSignal=SIGINT", "CapabilityBoundingSet=", "NoNewPrivileges=yes", "BindReadOnlyPaths=/bin:/bin:norbind",
      "BindPaths=/var/vcap/sys/log/web:/var/vcap/sys/log/web:rbind", "SystemCallErrorNumber=EPERM",
    ] { #expect(unit.split(separator: "\n").contains(Substring(line)), "\(line)\n\(unit)") }
  }
}
