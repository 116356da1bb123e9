import AgentProtocol
import Files
import Formats
import HTTPService
import Logging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent

/// Settings in vSphere's guest information, read by programs that stand in for VMware's.
@Suite struct GuestInfoTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Keeps variables in files, as the hypervisor does.
  private static let tool = """
    #!/bin/bash
    [ "$1" = --cmd ] && shift
    set -- $1
    folder=${0%/*}/guestinfo
    case $1 in
      info-get) cat $folder/$2 ;;
      info-set) [ -z "$3" ] && exit 1; echo "$3" > $folder/$2 ;;
    esac

    """

  private func store(_ folder: String, rpcTool: String) async throws -> SettingsStore {
    let source: Value = [
      "Type": "VsphereGuestInfo", "RpcToolPath": .string(rpcTool), "VmToolsdPath": .string("\(folder)/vmtoolsd"),
    ]
    return try await SettingsStore(
      AgentConfiguration(["Infrastructure": ["Settings": ["Sources": [source]]]]),
      layout: VMLayout(base: "\(folder)/vcap"), tries: 1, logger: Self.logger)
  }

  @Test("settings are read, kept, and only then cleared; later those that were kept count", arguments: [true, false])
  func settings(zipped: Bool) async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/guestinfo")
      try writeTestFile("\(folder)/vmtoolsd", Self.tool, mode: 0o755)
      var bytes = Array(#"{"agent_id":"from-guest","vm":{"name":"v"}}"#.utf8)
      if zipped {
        var command = Command("gzip", "-c")
        command.input = bytes
        bytes = try await command.run().output
      }
      let variable = "\(folder)/guestinfo/guestinfo.userdata"
      try writeTestFile(variable, Base64.encode(bytes) + "\n")
      try writeTestFile("\(variable).encoding", "gzip+base64")
      // The quicker tool is not there: the other one is asked.
      let store = try await store(folder, rpcTool: "\(folder)/no-rpctool")
      #expect(await store.current.agentID == "from-guest")
      #expect(Files.textIfPresent(variable) == "---\n" && Files.textIfPresent("\(variable).encoding") == "''\n")
      #expect(try await store.reload().agentID == "from-guest")
      let again = try await self.store(folder, rpcTool: "\(folder)/vmtoolsd")
      #expect(await again.current.agentID == "from-guest")
    }
  }

  @Test("what cannot be used is not cleared")
  func damaged() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/guestinfo")
      try writeTestFile("\(folder)/rpctool", Self.tool, mode: 0o755)
      for text in ["!!!", Base64.encode("nonsense".utf8), Base64.encode([0x1F, 0x8B, 1, 2, 3]), "---"] {
        try writeTestFile("\(folder)/guestinfo/guestinfo.userdata", text)
        await #expect(throws: DroverError.self, "\(text)") { try await store(folder, rpcTool: "\(folder)/rpctool") }
        #expect(Files.textIfPresent("\(folder)/guestinfo/guestinfo.userdata") == text)
      }
    }
  }

  @Test("a machine without a network gets DHCP on all interfaces before a metadata service is asked, once")
  func network() async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/vcap/bosh/bin")
      try writeTestFile(
        "\(folder)/vcap/bosh/bin/restart_networking", "#!/bin/sh\necho again >> \(folder)/restarts\n", mode: 0o755)
      let layout = VMLayout(base: "\(folder)/vcap")
      let network = FirstNetwork(
        layout: layout, ownership: Ownership(vcap: nil), logger: Self.logger, root: folder,
        interfaces: { [.init(name: "eth0", mac: "aa:01"), .init(name: "eth1", mac: "aa:02")] })
      try await withService(handler) { port in
        let source: Value = [
          "Type": "HTTP", "URI": .string("http://127.0.0.1:\(port)"), "UserDataPath": "/user-data",
        ]
        for _ in 1...2 {
          let store = try await SettingsStore(
            AgentConfiguration(["Infrastructure": ["Settings": ["Sources": [source]]]]), layout: layout, tries: 1,
            reachNetwork: { try await network.configure() }, logger: Self.logger)
          #expect(await store.current.agentID == "from-service")
        }
      }
      for name in ["eth0", "eth1"] {
        let text = Files.textIfPresent("\(folder)/etc/systemd/network/10_\(name).network") ?? ""
        #expect(text.contains("Name=\(name)\n") && text.contains("DHCP=yes\n") && !text.contains("UseRoutes=no"))
      }
      #expect(Files.textIfPresent("\(folder)/restarts") == "again\n")
    }
  }

  private var handler: HTTPService.Handler { { _, _ in .text(200, #"{"agent_id":"from-service"}"#) } }
}
