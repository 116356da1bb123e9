import Files
import Formats

/// The folders every VM has, with their modes (reference/agent.md 19).
enum Directories {
  static func make(_ layout: VMLayout, _ ownership: Ownership) throws {
    try ownership.folderIfMissing(layout.bosh, 0o755, vcap: false)
    try ownership.folder(layout.tasks, 0o700, vcap: false)
    try ownership.folder(layout.runs, 0o700, vcap: false)
    for path in [layout.data, layout.dataSys, layout.logs, layout.run, layout.dataJobs, layout.jobs] {
      try ownership.folder(path, 0o750)
    }
    for path in [layout.dataPackages, layout.packages, layout.temporary] { try ownership.folder(path, 0o755) }
    for path in [layout.blobs, layout.sensitiveBlobs, layout.dynamicDisks] { try ownership.folder(path, 0o700) }
    try ownership.folder(layout.rootTemporary, 0o1777)
    try ownership.folder(layout.monit, 0o750)
    try ownership.folder(layout.monitJobs, 0o750)
    try ownership.folder(layout.instance, 0o755, vcap: false)
    try ownership.folderIfMissing(layout.store, 0o700)
    try Links.link(layout.sys, to: layout.dataSys)
  }

  /// What an agent that was killed left half-made.
  static func removeLeftovers(_ layout: VMLayout) throws {
    for name in try Files.names(in: layout.temporary) where name.hasPrefix("drover-") {
      try Files.remove("\(layout.temporary)/\(name)")
    }
  }
}
