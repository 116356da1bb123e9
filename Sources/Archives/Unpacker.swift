import Digests
internal import Files
internal import Formats
internal import Glibc

/// Writes an archive's entries below a folder. Every folder on the way to an entry is opened without following links, so
/// nothing that the archive itself has put there can lead outside.
struct Unpacker {
  private let reader: ArchiveReader
  private let target: UnpackTarget
  private let options: Archives.UnpackOptions
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
  /// The folder of the entry before: most entries are in the same one.
  private var last: (parts: [String], folder: OpenFile)?
  /// Folders get their modes and times at the end, when nothing is written into them any more.
  private var folders: [(parts: [String], entry: ArchiveEntry)] = []

  init(_ reader: ArchiveReader, _ target: UnpackTarget, _ options: Archives.UnpackOptions) {
    self.reader = reader
    self.target = target
    self.options = options
  }

  consuming func run() throws -> Archives.Unpacked {
    defer { buffer.deallocate() }
    var result = Archives.Unpacked(entries: 0, bytes: 0, digest: MultiDigest(pieces: []))
    while let entry = try reader.next() {
      try Task.checkCancellation()
      let parts = try Self.place(of: entry, options, in: reader.label)
      try unpack(entry, parts)
      result.entries += 1
      result.bytes += entry.size
    }
    for (parts, entry) in folders.reversed() { try finish(folder: parts, entry) }
    result.digest = try reader.finish()
    return result
  }

  /// The parts of the path below the folder.
  ///
  /// - Throws: ``DroverError`` when the entry is not allowed.
  static func place(of entry: ArchiveEntry, _ options: Archives.UnpackOptions, in label: String) throws -> [String] {
    func fail(_ why: String) -> DroverError { DroverError(.invalid, "\(label): entry '\(entry.path)': \(why)") }
    do {
      let parts = try EntryPath.inside(entry.path)
      switch entry.kind {
      case .file, .directory: break
      case .symbolicLink(let text):
        if options.links == .inside { try EntryPath.checkLink(at: entry.path, target: text) }
        guard !text.isEmpty, !text.utf8.contains(0) else { throw fail("a link without a target") }
      case .hardLink(let other):
        guard let target = try? EntryPath.inside(other) else { throw fail("the hard link to '\(other)' leads outside") }
        guard !target.isEmpty else { throw fail("a hard link without a target") }
      case .characterDevice, .fifo:
        guard options.isRootFileSystem else { throw fail("device nodes and fifos are not allowed here") }
      case .blockDevice: throw fail("block devices are never allowed")
      }
      guard entry.kind == .directory || !parts.isEmpty else { throw fail("only a folder can be the archive's root") }
      return parts
    } catch let error as DroverError {
      guard !error.message.hasPrefix(label) else { throw error }
      throw DroverError(error.code, "\(label): \(error.message)")
    }
  }

  private func failure(_ entry: ArchiveEntry, _ what: String) -> DroverError {
    let reason = systemErrorText(errno)
    return DroverError(.failed, "\(reader.label): entry '\(entry.path)': cannot \(what): \(reason)")
  }

  private func refusal(_ entry: ArchiveEntry, _ why: String) -> DroverError {
    DroverError(.invalid, "\(reader.label): entry '\(entry.path)': \(why)")
  }

  private mutating func unpack(_ entry: ArchiveEntry, _ parts: [String]) throws {
    guard let name = parts.last else {
      folders.append((parts, entry))
      return
    }
    if entry.kind == .directory {
      _ = try folder(parts, entry)
      folders.append((parts, entry))
      return
    }
    let place = try folder(parts.dropLast(), entry)
    let parent = place.descriptor
    if let status = try place.status(name) {
      guard status.type != S_IFDIR else { throw refusal(entry, "there is a folder of that name already") }
      guard unlinkat(parent, name, 0) == 0 else { throw failure(entry, "replace it") }
    }
    switch entry.kind {
    case .directory: break
    case .file: try writeFile(entry, name, in: parent)
    case .symbolicLink(let text):
      guard symlinkat(text, parent, name) == 0 else { throw failure(entry, "make the link") }
      try own(entry, name, in: parent)
      setTime(entry, name, in: parent)
    case .hardLink(let other): try link(entry, to: other, name, in: parent)
    case .characterDevice(let major, let minor):
      let device = DeviceNumber.pack(major: major, minor: minor)
      guard mknodat(parent, name, S_IFCHR | mode_t(entry.mode), device) == 0 else { throw failure(entry, "make it") }
      try own(entry, name, in: parent)
    case .fifo:
      guard mkfifoat(parent, name, mode_t(entry.mode)) == 0 else { throw failure(entry, "make it") }
      try own(entry, name, in: parent)
    case .blockDevice: break
    }
  }

  /// The opened folder, made with those above it where they are missing.
  private mutating func folder(_ parts: [String], _ entry: ArchiveEntry) throws -> OpenFile {
    if let last, last.parts == parts { return last.folder }
    var folder = target.root
    for part in parts {
      if mkdirat(folder.descriptor, part, 0o755) != 0, errno != EEXIST { throw failure(entry, "make its folder") }
      let descriptor = openat(folder.descriptor, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else {
        guard errno == ENOTDIR || errno == ELOOP else { throw failure(entry, "open its folder") }
        throw refusal(entry, "'\(part)' on its path is not a folder; links are not followed")
      }
      folder = OpenFile(part, descriptor)
    }
    last = (parts, folder)
    return folder
  }

  /// Permission bits; set-user-id, set-group-id and sticky only in root file systems.
  private func mode(_ entry: ArchiveEntry) -> mode_t {
    mode_t(entry.mode & (options.isRootFileSystem ? 0o7777 : 0o777))
  }

  private func writeFile(_ entry: ArchiveEntry, _ name: String, in parent: Int32) throws {
    let descriptor = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(entry, "create it") }
    let file = OpenFile(name, descriptor)
    while true {
      let count = try reader.read(into: buffer)
      if count == 0 { break }
      do {
        try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      } catch {
        throw failure(entry, "write it")
      }
    }
    if options.isRootFileSystem, fchown(descriptor, uid_t(entry.userID), gid_t(entry.groupID)) != 0 {
      throw failure(entry, "give it to its owner")
    }
    guard fchmod(descriptor, mode(entry)) == 0 else { throw failure(entry, "set its mode") }
    setTime(entry, name, in: parent)
  }

  private func link(_ entry: ArchiveEntry, to other: String, _ name: String, in parent: Int32) throws {
    let parts = try Self.place(of: ArchiveEntry(path: other, kind: .file, mode: 0), options, in: reader.label)
    guard let otherName = parts.last else {
      throw refusal(entry, "the hard link to '\(other)' leads out of what is unpacked")
    }
    // A walk of its own that makes nothing: the target has to be there already.
    var folder = target.root
    for part in parts.dropLast() {
      let descriptor = openat(folder.descriptor, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { throw refusal(entry, "the hard link's target '\(other)' is not there") }
      folder = OpenFile(part, descriptor)
    }
    guard let status = try folder.status(otherName) else {
      throw refusal(entry, "the hard link's target '\(other)' is not there")
    }
    // A second name of a symbolic link would make its text count from another folder.
    guard status.type == S_IFREG || options.isRootFileSystem && status.type != S_IFDIR else {
      throw refusal(entry, "the hard link's target '\(other)' is not a file")
    }
    guard linkat(folder.descriptor, otherName, parent, name, 0) == 0 else { throw failure(entry, "make the hard link") }
  }

  private func own(_ entry: ArchiveEntry, _ name: String, in parent: Int32) throws {
    guard options.isRootFileSystem else { return }
    let flags = AT_SYMLINK_NOFOLLOW
    guard fchownat(parent, name, uid_t(entry.userID), gid_t(entry.groupID), flags) == 0 else {
      throw failure(entry, "give it to its owner")
    }
  }

  private func setTime(_ entry: ArchiveEntry, _ name: String, in parent: Int32) {
    let time = timespec(tv_sec: entry.modifiedAt, tv_nsec: 0)
    _ = [time, time].withUnsafeBufferPointer { utimensat(parent, name, $0.baseAddress, AT_SYMLINK_NOFOLLOW) }
  }

  private mutating func finish(folder parts: [String], _ entry: ArchiveEntry) throws {
    // The root keeps what its maker gave it, unless it is a file system's.
    guard !parts.isEmpty || options.isRootFileSystem else { return }
    let folder = try folder(parts, entry)
    if options.isRootFileSystem, fchown(folder.descriptor, uid_t(entry.userID), gid_t(entry.groupID)) != 0 {
      throw failure(entry, "give it to its owner")
    }
    guard fchmod(folder.descriptor, mode(entry)) == 0 else { throw failure(entry, "set its mode") }
    let time = timespec(tv_sec: entry.modifiedAt, tv_nsec: 0)
    _ = [time, time].withUnsafeBufferPointer { futimens(folder.descriptor, $0.baseAddress) }
  }
}
