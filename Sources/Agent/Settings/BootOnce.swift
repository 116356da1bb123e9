import AgentProtocol
import Files
import Formats

/// A machine whose settings or jobs are only in memory cannot go on after a reboot: its agent refuses to run, so that
/// the director makes the machine anew (reference/agent.md 4).
enum BootOnce {
  enum Decision: Sendable, Hashable {
    /// Nothing is protected.
    case run
    /// The first start since the machine was made, or a further start of the agent: both marks are to be there.
    case runMarked
    case refuse
  }

  /// - Parameters:
  ///   - onDisk: whether the mark that survives a reboot is there.
  ///   - inMemory: whether the mark that does not is there.
  static func decide(isProtected: Bool, onDisk: Bool, inMemory: Bool) -> Decision {
    guard isProtected else { return .run }
    return onDisk && !inMemory ? .refuse : .runMarked
  }

  /// - Throws: when the machine was rebooted.
  static func check(_ settings: EffectiveSettings, _ layout: VMLayout, mountTmpfs: SettingsFolders.MountTmpfs) throws {
    let env = settings.document.env
    let isProtected = env.settingsOnTmpfs || env.jobDirectoryOnTmpfs
    let (disk, memory) = ("\(layout.bosh)/bootonce", "\(layout.canRestart)/bootonce")
    if isProtected {
      try Files.makeFolder(layout.canRestart, mode: 0o700)
      if !MountTable.isMountPoint(layout.canRestart) { try mountTmpfs(layout.canRestart, "16m", 0o700) }
    }
    switch try decide(
      isProtected: isProtected, onDisk: isProtected && Files.exists(disk), inMemory: isProtected && Files.exists(memory)
    ) {
    case .run: return
    case .runMarked: for path in [memory, disk] { try Files.replace(path, with: []) }
    case .refuse:
      throw DroverError(
        .conflict,
        "this machine was rebooted, and its settings or jobs were only in memory: it can't run any more; let the director "
          + "recreate it")
    }
  }
}
