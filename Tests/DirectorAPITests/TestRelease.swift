import Archives
import Blobs
import Digests
import Surroundings
import TestSupport

/// A small release as a tarball.
enum TestRelease {
  private static func bytes(of path: String) async throws -> [UInt8] {
    let blobs = MemoryBlobStore(surroundings: .system)
    return try await blobs.bytes(try await blobs.put(file: path).id, limit: 1 << 20)
  }

  /// A release tarball with the archive of one package, and perhaps without that of another.
  static func tarball(in folder: String, lacksPackage: Bool = false) async throws -> [UInt8] {
    let package = try ArchiveWriter(file: "\(folder)/present.tgz")
    try package.add(ArchiveEntry(path: "./packaging", kind: .file, size: 4, mode: 0o644), content: Array("true".utf8))
    _ = try package.finish()
    let archive = try await bytes(of: "\(folder)/present.tgz")
    let digest = DigestHasher.hex(.sha1, archive)
    let absent = "- {name: absent, version: f2, fingerprint: f2, sha1: \(digest), dependencies: []}"
    let manifest = """
      name: half
      version: '1'
      commit_hash: abc
      uncommitted_changes: false
      jobs: []
      packages:
      - {name: present, version: f1, fingerprint: f1, sha1: \(digest), dependencies: []}
      \(lacksPackage ? absent : "")
      """
    let release = try ArchiveWriter(file: "\(folder)/release.tgz")
    for (path, content) in [("release.MF", Array(manifest.utf8)), ("packages/present.tgz", archive)] {
      try release.add(ArchiveEntry(path: path, kind: .file, size: content.count, mode: 0o644), content: content)
    }
    _ = try release.finish()
    return try await bytes(of: "\(folder)/release.tgz")
  }
}
