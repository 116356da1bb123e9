import AgentProtocol
import Files
import Formats
import Processes
import Surroundings

/// A small disk that the cloud attaches, found by path or label (reference/agent.md 2).
struct ConfigDriveSource: SettingsSource {
  let diskPaths: [String]
  let userDataPath: String
  let metaDataPath: String
  let tools: SourceTools

  var name: String { "ConfigDrive \(diskPaths.joined(separator: ", "))" }

  func fetch() async throws -> AgentSettings {
    let (userData, metaData) = try await read()
    return try await tools.settings(userData) { try metaData.map(MetaData.init)?.instanceID }
  }

  func publicKey() async throws -> String? { try await read().metaData.map(MetaData.init)?.publicKey }

  /// From the first disk that has them.
  private func read() async throws -> (userData: [UInt8], metaData: [UInt8]?) {
    var failures: [String] = []
    for disk in diskPaths {
      do {
        return try await Drive(device: disk, layout: tools.layout).read { folder in
          let metaData = "\(folder)/\(metaDataPath)"
          return (
            try Files.read("\(folder)/\(userDataPath)", limit: 16 << 20),
            metaDataPath.isEmpty ? nil : try Files.bytes(metaData, limit: 1 << 20)
          )
        }
      } catch {
        failures.append("\(error)")
      }
    }
    throw DroverError(.notFound, "reading the config drive: \(failures.joined(separator: "; "))")
  }
}

/// A CD in the machine's first drive, for whose medium it waits.
struct CDROMSource: SettingsSource {
  let fileName: String
  let tools: SourceTools
  var device = "/dev/sr0"

  var name: String { "CDROM \(fileName)" }

  func fetch() async throws -> AgentSettings {
    var tried = 1
    while true {
      do {
        let bytes = try await Drive(device: device, layout: tools.layout).read { folder in
          try Files.read("\(folder)/\(fileName)", limit: 16 << 20)
        }
        return try AgentSettings(UserData(bytes).document)
      } catch {
        guard tried < tools.client.tries else {
          throw DroverError(.notFound, "reading settings from the CD in \(device)", cause: error)
        }
        tried += 1
        try await tools.surroundings.sleep(MetadataClient.pause)
      }
    }
  }
}

/// A disk that is mounted, read-only, only while it is read.
struct Drive: Sendable {
  let device: String
  let layout: VMLayout

  func read<Result: Sendable>(_ body: (String) throws -> Result) async throws -> Result {
    let device = try await self.device(named: device)
    let folder = "\(layout.bosh)/drive"
    try Files.makeFolder(folder, mode: 0o700)
    // What an agent that was killed has left.
    while MountTable.isMountPoint(folder) { try await Command("umount", folder).run() }
    try await Command("mount", "-o", "ro,nodev,nosuid,noexec", device, folder).run()
    do {
      let result = try body(folder)
      try await Command("umount", folder).run()
      return result
    } catch {
      try await Command("umount", folder).run()
      throw error
    }
  }

  /// A path by label is looked up where nobody has made the link for it.
  private func device(named path: String) async throws -> String {
    let prefix = "/dev/disk/by-label/"
    guard path.hasPrefix(prefix), !Files.isVisible(path) else { return path }
    let label = String(path.dropFirst(prefix.count))
    let found = try await Command("blkid", "-c", "/dev/null", "-L", label).result()
    let device = found.text.prefix { !$0.isNewline }
    guard found.succeeded, !device.isEmpty else {
      throw DroverError(.notFound, "there is no disk with the label \(label)")
    }
    return String(device)
  }
}
