internal import Archives
import Digests
internal import Formats
internal import Glibc
internal import Processes
internal import Releases

/// A job, a package or the license of a release folder: its files and what follows from them.
struct Artifact {
  let name: String
  /// Says something of jobs only.
  let kind: JobKind
  let files: [SourceFile]
  /// Names of packages: a package's dependencies, a job's packages.
  let packages: [String]
  let fingerprint: Fingerprint
  let noCompression: Bool
  /// A script that changes the files before they are packed; nil for nearly all.
  let prePackaging: SourceFile?

  /// Every entry has this time, so that the same files give the same archive: 1980, which zip can say, too.
  static let modifiedAt = 315_532_800

  init(
    name: String, kind: JobKind = .job, files: [SourceFile], packages: [String], chunks: [String] = [],
    noCompression: Bool = false,
    prePackaging: SourceFile? = nil
  ) {
    self.name = name
    self.kind = kind
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.packages = packages
    self.noCompression = noCompression
    self.prePackaging = prePackaging
    fingerprint = Fingerprint(files: files.map(\.fingerprinted), chunks: chunks)
  }

  /// Writes the archive: `./`, then folders and files in the order of their paths.
  ///
  /// - Parameters:
  ///   - scratch: An empty folder for what a pre-packaging script works on.
  /// - Returns: The archive's SHA-256.
  func pack(to archive: String, scratch: String, releaseFolder: String) async throws -> MultiDigest {
    let compression: ArchiveWriter.Compression = noCompression ? .none : .gzip(level: 6)
    guard let prePackaging, let script = prePackaging.source else { return try pack(to: archive, compression) }
    try stage(in: scratch)
    var command = Command("bash", "-x", script)
    command.directory = scratch
    command.environment = Environment.current().merging(["BUILD_DIR": scratch, "RELEASE_DIR": releaseFolder]) { $1 }
    let result = try await command.result()
    guard result.succeeded else {
      throw DroverError(.failed, "\(script): \(result.ending): \(result.lastErrorLines(20))")
    }
    unlink("\(scratch)/\(prePackaging.path)")
    return try Archives.pack(
      scratch, to: archive, options: .init(compression: compression, modifiedAt: Self.modifiedAt), hashing: [.sha256]
    ).digest
  }

  private func pack(to archive: String, _ compression: ArchiveWriter.Compression) throws -> MultiDigest {
    let writer = try ArchiveWriter(file: archive, compression: compression, hashing: [.sha256])
    func folder(_ path: String) -> ArchiveEntry {
      ArchiveEntry(path: path, kind: .directory, mode: 0o755, modifiedAt: Self.modifiedAt)
    }
    try writer.add(folder("./"))
    var written: Set<[UInt8]> = []
    for file in files {
      try Task.checkCancellation()
      let parts = file.path.split(separator: "/")
      for count in 1..<max(parts.count, 1) {
        let path = parts[..<count].joined(separator: "/")
        if written.insert(Array(path.utf8)).inserted { try writer.add(folder("./\(path)/")) }
      }
      try file.add(to: writer, prefix: "./", modifiedAt: Self.modifiedAt)
    }
    return try writer.finish()
  }

  /// Puts the files into a folder, by way of an archive.
  private func stage(in folder: String) throws {
    let archive = "\(folder).staged.tar"
    defer { unlink(archive) }
    _ = try pack(to: archive, .none)
    try Archives.unpack(archive, into: folder, options: .package)
  }
}
