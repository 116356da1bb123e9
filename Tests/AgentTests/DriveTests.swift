import AgentProtocol
import Files
import Formats
import Glibc
import Logging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent

/// Needs loop devices and a file system tool.
private let canMount: Bool = {
  let can = geteuid() == 0 && Files.isVisible("/dev/loop-control") && Files.isVisible("/usr/sbin/mkfs.ext4")
  if !can { print("DriveTests: left out, since they need root, loop devices and mkfs.ext4") }
  return can
}()

@Suite(.enabled(if: canMount), .serialized) struct DriveTests {
  /// An image with a file system of that label, which holds these files.
  private func image(_ folder: String, label: String, _ files: [String: String]) async throws -> String {
    let content = "\(folder)/content"
    for (path, text) in files {
      let place = "\(content)/\(path)"
      try Files.makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]))
      try writeTestFile(place, text)
    }
    let path = "\(folder)/drive.img"
    try await Command("truncate", "-s", "4M", path).run()
    try await Command("mkfs.ext4", "-q", "-O", "^has_journal", "-L", label, "-d", content, path).run()
    return path
  }

  private func store(_ folder: String, _ source: Value) async throws -> SettingsStore {
    let configuration = try AgentConfiguration(["Infrastructure": ["Settings": ["Sources": [source]]]])
    return try await SettingsStore(
      configuration, layout: VMLayout(base: "\(folder)/vcap"), tries: 1,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test("settings and the cloud's key come from a config drive, which is found by its label and let go again")
  func configDrive() async throws {
    try await withTemporaryFolder { folder in
      let label = "cfg-\(getpid())"
      let image = try await image(
        folder, label: label,
        [
          "ec2/latest/user-data": #"{"agent_id":"from-drive"}"#,
          "ec2/latest/meta-data.json": #"{"public-keys":{"0":{"openssh-key":"ssh-rsa AAA"}}}"#,
        ])
      try await withLoopDevice(image, "--read-only") { device in
        for path in ["/dev/disk/by-label/\(label)", device] {
          let store = try await store(
            folder,
            [
              "Type": "ConfigDrive", "DiskPaths": ["/dev/disk/by-label/no-such", .string(path)],
              "UserDataPath": "ec2/latest/user-data", "MetaDataPath": "ec2/latest/meta-data.json",
            ])
          #expect(await store.current.agentID == "from-drive")
          #expect(await store.publicKey() == "ssh-rsa AAA")
          #expect(!MountTable.isMountPoint("\(folder)/vcap/bosh/drive"))
        }
      }
    }
  }

  @Test("settings come from a file of a CD, and a drive without that file is let go too")
  func cdrom() async throws {
    try await withTemporaryFolder { folder in
      let image = try await image(folder, label: "cd", ["env": #"{"agent_id":"from-cd"}"#])
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      let tools = SourceTools(
        layout: VMLayout(base: "\(folder)/vcap"), registry: .init(),
        client: MetadataClient(surroundings: .system, tries: 1), surroundings: .system, logger: logger)
      #expect(try await CDROMSource(fileName: "env", tools: tools, device: image).fetch().agentID == "from-cd")
      await #expect(throws: DroverError.self) {
        try await CDROMSource(fileName: "none", tools: tools, device: image).fetch()
      }
      #expect(!MountTable.isMountPoint("\(folder)/vcap/bosh/drive"))
    }
  }
}
