import AgentProtocol
import Files
import Formats

/// Where the settings files are: on the machine's disk, or on a tmpfs that forgets them with the power when
/// `env.bosh.agent.settings.tmpfs` says so (reference/agent.md 3).
struct SettingsFolders: Sendable {
  typealias MountTmpfs = @Sendable (_ folder: String, _ size: String, _ mode: UInt32) throws -> Void

  static let files = ["settings.json", "update_settings.json", "persistent_disk_hints.json"]
  let layout: VMLayout
  /// Nil where nothing may be mounted; then they stay on the disk.
  let mountTmpfs: MountTmpfs?

  /// The folder for these settings, made ready. What is in the other one moves.
  func folder(for document: AgentSettings) throws -> String {
    let disk = layout.settings()
    try Files.makeFolder(disk)
    guard document.env.settingsOnTmpfs, let mountTmpfs else { return disk }
    let tmpfs = layout.settings(onTmpfs: true)
    try Files.makeFolder(tmpfs, mode: 0o700)
    if !MountTable.isMountPoint(tmpfs) { try mountTmpfs(tmpfs, "16m", 0o700) }
    for name in Self.files where try Files.exists("\(disk)/\(name)") {
      if try !Files.exists("\(tmpfs)/\(name)") {
        try Files.replace("\(tmpfs)/\(name)", with: Files.read("\(disk)/\(name)"), mode: 0o600)
      }
      try Files.remove("\(disk)/\(name)")
    }
    return tmpfs
  }

  /// Where the settings of last time are, if there are any.
  var cachedFolder: String {
    get throws {
      let tmpfs = layout.settings(onTmpfs: true)
      return try Files.exists("\(tmpfs)/settings.json") ? tmpfs : layout.settings()
    }
  }

  /// The settings of last time.
  func cached() throws -> AgentSettings {
    let path = "\(try cachedFolder)/settings.json"
    do {
      return try AgentSettings(JSON.parse(Files.read(path)))
    } catch {
      throw DroverError(.notFound, "reading \(path)", cause: error)
    }
  }
}
