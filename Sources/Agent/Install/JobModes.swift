import Files
import Processes

/// Modes and owners of an installed job: folders and what is under `bin/` 0750, everything else 0640, all root:vcap
/// (reference/agent.md 10). An errand's script is 0755; the folder around it lets nobody else in.
enum JobModes {
  static func apply(_ folder: String, _ kind: Bundle.Kind, _ ownership: Ownership) throws {
    try ownership.apply(folder, 0o750, vcap: true)
    try walk(folder, isBin: false, isTop: true, ownership)
    let script = "\(folder)/\(VMLayout.errandScript)"
    if kind == .errands, try FileFacts(script)?.kind == .file { try ownership.apply(script, 0o755, vcap: true) }
  }

  private static func walk(_ folder: String, isBin: Bool, isTop: Bool, _ ownership: Ownership) throws {
    for name in try Files.names(in: folder) {
      let path = "\(folder)/\(name)"
      switch try FileFacts(path, followsLinks: false)?.kind {
      case .folder:
        try ownership.apply(path, 0o750, vcap: true)
        try walk(path, isBin: isBin || (isTop && name == "bin"), isTop: false, ownership)
      case .link: try ownership.group(path, vcap: true)
      default: try ownership.apply(path, isBin ? 0o750 : 0o640, vcap: true)
      }
    }
  }
}
