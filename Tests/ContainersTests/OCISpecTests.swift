import Containers
import Formats
import Testing

@Suite("OCISpec")
struct OCISpecTests {
  @Test("config.json says what was set and nothing else")
  func encoding() throws {
    var spec = OCISpec(
      process: OCISpec.Process(arguments: ["/bin/true"], environment: ["A=b"]), root: OCISpec.Root(path: "/r"))
    #expect(
      spec.value == [
        "ociVersion": "1.0.2",
        "process": [
          "terminal": false, "user": ["uid": 0, "gid": 0], "args": ["/bin/true"], "env": ["A=b"], "cwd": "/",
          "noNewPrivileges": false,
        ],
        "root": ["path": "/r", "readonly": false],
        "mounts": [],
        "linux": ["resources": [:], "namespaces": []],
      ])
    spec.hostname = "h"
    spec.mounts = [OCISpec.Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid"])]
    spec.hooks.createContainer = [OCISpec.Hook(path: "/h", arguments: ["h", "1"])]
    spec.annotations = ["b": "2", "a": "1"]
    spec.linux.namespaces = [OCISpec.Namespace(.network, path: "/n"), OCISpec.Namespace(.pid)]
    spec.linux.resources = OCISpec.Resources(
      memoryLimit: 1024, memorySwap: 2048, cpuShares: 2, cpuQuota: 3, cpuPeriod: 4, pidsLimit: 5,
      devices: [OCISpec.DeviceRule(allow: true, type: "c", major: 1, access: "r")])
    let value = spec.value
    #expect(value["hostname"] == "h")
    #expect(
      value["mounts"] == [["destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"]]])
    #expect(value["hooks"] == ["createContainer": [["path": "/h", "args": ["h", "1"]]]])
    #expect(value["annotations"]?.object?.keys == ["a", "b"])
    #expect(value["linux"]?["namespaces"] == [["type": "network", "path": "/n"], ["type": "pid"]])
    #expect(
      value["linux"]?["resources"] == [
        "devices": [["allow": true, "type": "c", "major": 1, "access": "r"]],
        "memory": ["limit": 1024, "swap": 2048], "cpu": ["shares": 2, "quota": 3, "period": 4], "pids": ["limit": 5],
      ])
    #expect(try JSON.parse(spec.encoded()) == value)
  }
}
