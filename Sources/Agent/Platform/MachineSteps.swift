import Files
import Formats
import Glibc
import Logging
import Processes
import Surroundings

/// Does what plans say. Files of the system and mount points are below `root`, which is empty on a real machine.
struct MachineSteps: Sendable {
  let layout: VMLayout
  let ownership: Ownership
  let root: String
  let logger: Logger
  var surroundings = Surroundings.system

  /// - Throws: what a step met that may not fail.
  func perform(_ steps: [MachineStep]) async throws {
    for step in steps { try await perform(step) }
  }

  private func perform(_ step: MachineStep) async throws {
    switch step {
    case .runIfPresent(let path, let mayFail):
      if try Files.exists(path) { try await run([path], mayFail) }
    case .run(let arguments, let mayFail): try await run(arguments, mayFail)
    case .setHostName(let name):
      guard root.isEmpty else { return }
      guard sethostname(name, name.utf8.count) == 0 else {
        throw systemError("naming the machine \(name)")
      }
    case .write(let path, let text, let mode):
      logger.debug("writing a file", metadata: ["path": "\(path)"])
      try write(place(path), Array(text.utf8), mode)
    case .remove(let path): try Files.remove(place(path))
    case .link(let path, let target): try Links.link(place(path), to: target)
    case .folder(let path, let mode): try ownership.folder(place(path), mode)
    case .tmpfs(let path, let size, let mode):
      let path = place(path)
      if MountTable.isMountPoint(path) { return }
      try Tmpfs.mount(path, size: size, mode: mode)
      try ownership.folder(path, mode)
    case .bind(let source, let target): try bind(place(source), on: place(target))
    case .mount(let device, let target):
      try Files.makeFolder(target)
      if !MountTable.isMountPoint(target) { try await run(["mount", device, target], false) }
    case .restrict(let path, let noExec): try restrict(place(path), noExec)
    case .waitFor(let path): try await wait(path)
    case .restartMachine(let reason): try await restart(reason)
    case .note(let text): logger.info("left undone: \(text)")
    }
  }

  /// What is below the base directory is where it is.
  private func place(_ path: String) -> String { path.hasPrefix(layout.base + "/") ? path : root + path }

  private func run(_ arguments: [String], _ mayFail: Bool) async throws {
    let command = Command(arguments)
    do {
      try await command.run()
    } catch  where mayFail && !(error is CancellationError) {
      logger.warning("a step failed, which is no harm", metadata: ["error": "\(error)"])
    }
  }

  private func wait(_ path: String) async throws {
    for _ in 0..<300 {
      if try Files.exists(path) { return }
      try await surroundings.sleep(.milliseconds(100))
    }
    throw DroverError(.notFound, "\(path) is not there; looked for it for 30 seconds")
  }

  private func restart(_ reason: String) async throws {
    logger.warning("starting the machine again", metadata: ["reason": "\(reason)"])
    guard root.isEmpty else { return }
    try await Command("shutdown", "-r", "now").run()
    try await surroundings.sleep(.seconds(600))
    throw DroverError(.failed, "the machine was to start again (\(reason)), and did not")
  }

  private func write(_ path: String, _ bytes: [UInt8], _ mode: UInt32) throws {
    if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash])) }
    do {
      try Files.replace(path, with: bytes, mode: mode)
    } catch let error as DroverError
      where Files.isVisible(path) && (error.code == .conflict || error.code == .forbidden)
    {
      // Mounted by itself, as clouds do it with /etc/hosts, or on a file system without modes, as boot loaders have it:
      // its content can be replaced, the file can't.
      try FileCopy.overwrite(path, bytes)
    }
  }

  private func bind(_ source: String, on target: String) throws {
    if MountTable.isMountPoint(target) { return }
    for path in [source, target] { try Files.makeFolder(path) }
    guard Glibc.mount(source, target, nil, UInt(MS_BIND), nil) == 0 else {
      throw systemError("mounting \(source) on \(target)")
    }
  }

  private func restrict(_ path: String, _ noExec: Bool) throws {
    guard MountTable.isMountPoint(path) else { return }
    let flags = MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOSUID | (noExec ? MS_NOEXEC : 0)
    guard Glibc.mount(nil, path, nil, UInt(flags), nil) == 0 else {
      throw systemError("restricting \(path)")
    }
  }
}
