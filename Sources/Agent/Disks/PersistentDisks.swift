import AgentProtocol
import Files
import Formats
import Processes

/// The persistent disks of this VM: which there are, and which of them is mounted on the store (reference/agent.md 17).
actor PersistentDisks {
  private let settings: SettingsStore
  private let attachment: any DiskAttachment
  private let layout: VMLayout

  init(settings: SettingsStore, attachment: any DiskAttachment, layout: VMLayout) {
    self.settings = settings
    self.attachment = attachment
    self.layout = layout
  }

  /// The CIDs of those that are mounted, sorted. One whose hint leads nowhere is not mounted.
  func mounted() async throws -> [String] {
    let disks = try await settings.reload().persistentDisks
    var mounted: [String] = []
    for (cid, hint) in disks where (try? await attachment.isMounted(hint)) ?? false { mounted.append(cid) }
    return mounted.sorted()
  }

  /// Mounts a disk on the store, or beside it when another one is there.
  func mount(_ cid: String) async throws {
    let hint = try await hint(cid)
    if try await attachment.isMounted(hint) {
      // Whoever mounted it may not have come to put that on record: killed, or without room.
      if try await attachment.isMounted(hint, on: layout.store), try Files.text(layout.managedDisk) != cid {
        try keepManaged(cid)
      }
      return
    }
    let isTaken = MountTable.isMountPoint(layout.store)
    try await attachment.mount(hint, on: isTaken ? layout.storeMigrationTarget : layout.store, mayMake: true)
    if !isTaken { try keepManaged(cid) }
  }

  /// - Returns: whether it was mounted.
  func unmount(_ cid: String) async throws -> (wasMounted: Bool, path: String) {
    let hint = try await hint(cid)
    try attachment.check(hint)
    for point in [layout.store, layout.storeMigrationTarget] where try await attachment.isMounted(hint, on: point) {
      let path = try await attachment.path(hint)
      try await attachment.unmount(point)
      return (true, path)
    }
    // One that is gone is not waited for.
    return (false, hint.path.isEmpty ? hint.id : hint.path)
  }

  /// Copies the old disk's content to the new one, which then takes its place. Asked again after a restart of the agent in
  /// the middle, it goes on.
  ///
  /// - Parameter wanted: the new disk as the request names it; the one that is mounted beside the store counts.
  func migrate(to wanted: String?) async throws {
    let (old, new) = (layout.store, layout.storeMigrationTarget)
    let beside = await migrationTarget()
    if beside == nil, let wanted, try await hasTakenOver(wanted) { return }
    guard MountTable.isMountPoint(new) else {
      throw DroverError(.conflict, "migrating the persistent disk: no new disk is mounted on \(new)")
    }
    guard let cid = beside, let hint = await settings.current.persistentDisks[cid] else {
      throw DroverError(.notFound, "migrating the persistent disk: the new disk is not known")
    }
    // On record once it is copied: then the agent mounts it on the store when it starts, and must not copy it to itself.
    if try Files.text(layout.managedDisk) != cid {
      if MountTable.isMountPoint(old) {
        try await copy(from: old, to: new)
        try await attachment.unmount(old)
      }
      try keepManaged(cid)
    }
    try await attachment.unmount(new)
    try await attachment.mount(hint, on: old, mayMake: false)
  }

  /// While it is copied nobody changes the old one.
  private func copy(from old: String, to new: String) async throws {
    try attachment.setWritable(old, false)
    do {
      let copy =
        "set -o pipefail; tar --xattrs --acls --sparse -C \"$1\" -cf - . | tar --xattrs --acls -C \"$2\" -xpf -"
      try await Command("/bin/bash", "-c", copy, "migrate", old, new).run()
    } catch {
      try? attachment.setWritable(old, true)
      throw error
    }
  }

  /// Whether a migration to that disk is over, but for the last step, which is then taken.
  private func hasTakenOver(_ cid: String) async throws -> Bool {
    guard try Files.text(layout.managedDisk) == cid, let hint = await settings.current.persistentDisks[cid] else {
      return false
    }
    try await attachment.mount(hint, on: layout.store, mayMake: false)
    return true
  }

  /// The disk that is beside the store, if there is one: the target of a migration.
  func migrationTarget() async -> String? {
    for (cid, hint) in await settings.current.persistentDisks {
      if (try? await attachment.isMounted(hint, on: layout.storeMigrationTarget)) ?? false { return cid }
    }
    return nil
  }

  func add(_ cid: String, _ hint: DiskHint) async throws {
    try attachment.check(hint)
    try await settings.keepDiskHint(cid, hint)
  }

  func remove(_ cid: String) async throws { try await settings.forgetDiskHint(cid) }

  /// At the start of the agent: mounts again the disk that was mounted last.
  func restore() async throws {
    guard let cid = try Files.text(layout.managedDisk), !cid.isEmpty else { return }
    guard let hint = await settings.current.persistentDisks[cid] else { return }
    try await attachment.mount(hint, on: layout.store, mayMake: false)
  }

  private func hint(_ cid: String) async throws -> DiskHint {
    guard let hint = try await settings.reload().persistentDisks[cid] else {
      throw DroverError(.notFound, "Persistent disk with volume id '\(cid.prefix(200))' could not be found")
    }
    return hint
  }

  private func keepManaged(_ cid: String) throws {
    try Files.replace(layout.managedDisk, with: Array(cid.utf8), mode: 0o600)
  }
}
