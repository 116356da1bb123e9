import Digests
internal import Files
internal import Formats
internal import Glibc

/// Walks a folder, never following links, and writes what it finds into an archive.
struct Packer {
  private struct Inode: Hashable {
    let device: dev_t
    let number: ino_t
  }

  private let writer: ArchiveWriter
  private let options: Archives.PackOptions
  private var firstNames: [Inode: String] = [:]
  private(set) var packed = Archives.Packed(entries: 0, bytes: 0, digest: MultiDigest(pieces: []))

  init(_ writer: ArchiveWriter, _ options: Archives.PackOptions) {
    self.writer = writer
    self.options = options
  }

  mutating func add(folder path: String) throws {
    let root = try OpenFile(folder: path)
    if options.includesRoot, !options.prefix.isEmpty { try add(entry(options.prefix, .directory, root.status())) }
    try addContents(root, options.prefix)
  }

  private mutating func add(_ entry: ArchiveEntry, contentOf file: OpenFile? = nil) throws {
    if let file { try writer.add(entry, contentOf: file) } else { try writer.add(entry) }
    packed.entries += 1
    packed.bytes += entry.size
  }

  private func entry(_ path: String, _ kind: ArchiveEntry.Kind, _ status: stat) -> ArchiveEntry {
    ArchiveEntry(
      path: path, kind: kind, size: kind == .file ? Int(status.st_size) : 0, mode: Int(status.st_mode & 0o7777),
      userID: options.keepsOwners ? Int(status.st_uid) : 0, groupID: options.keepsOwners ? Int(status.st_gid) : 0,
      modifiedAt: options.modifiedAt ?? status.st_mtim.tv_sec)
  }

  private mutating func addContents(_ folder: OpenFile, _ prefix: String) throws {
    try Task.checkCancellation()
    for name in try folder.names() {
      let place = "\(folder.path)/\(name)"
      guard let status = try folder.status(name) else { throw DroverError(.notFound, "packing '\(place)': it is gone") }
      try add(name, status, in: folder, as: prefix + name, place)
    }
  }

  private mutating func add(
    _ name: String, _ status: stat, in folder: OpenFile, as path: String, _ place: String
  ) throws {
    if options.keepsHardLinks, status.st_nlink > 1, status.type != S_IFDIR {
      let inode = Inode(device: status.st_dev, number: status.st_ino)
      if let first = firstNames[inode] { return try add(entry(path, .hardLink(first), status)) }
      firstNames[inode] = path
    }
    switch status.type {
    case S_IFREG:
      try add(entry(path, .file, status), contentOf: folder.file(name))
    case S_IFDIR:
      let inner = try folder.folder(name)
      try add(entry(path, .directory, status))
      try addContents(inner, path + "/")
    case S_IFLNK:
      var text = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlinkat(folder.descriptor, name, &text, text.count)
      guard count >= 0 else { throw systemError("reading the link '\(place)'") }
      let target = String(validating: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard let target else { throw DroverError(.invalid, "\(place): the link's text is not valid UTF-8") }
      try add(entry(path, .symbolicLink(target), status))
    case S_IFSOCK: break
    case S_IFCHR where options.keepsDevices:
      let kind = ArchiveEntry.Kind.characterDevice(
        major: DeviceNumber.major(status.st_rdev), minor: DeviceNumber.minor(status.st_rdev))
      try add(entry(path, kind, status))
    case S_IFIFO where options.keepsDevices: try add(entry(path, .fifo, status))
    default: throw DroverError(.invalid, "\(place): device nodes and fifos cannot be packed")
    }
  }
}
