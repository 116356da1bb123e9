public import Archives
public import Digests
public import Formats
public import Releases

/// A release tarball that was read, checked, and taken apart into the archives of its jobs and packages.
///
/// Everything about it was checked: names, digests, every `job.MF`, that templates and `monit` are there, that packages'
/// dependencies are there without a circle, and that no archive inside could write outside of where it is unpacked.
public struct ReleaseTarball: Sendable {
  /// A job: its description and its archive.
  public struct Job: Sendable {
    public let kind: JobKind
    public let spec: JobSpec
    /// `job.MF` as it was written.
    public let document: Value
    public let fingerprint: String
    /// As `release.MF` says it.
    public let digest: MultiDigest
    /// `jobs/NAME.tgz`.
    public let archive: HashedFile
  }

  /// A source package and its archive.
  public struct Package: Sendable {
    public let name: String
    public let fingerprint: String
    public let digest: MultiDigest
    public let dependencies: [String]
    /// `packages/NAME.tgz`; nil when the tarball does not have it, because its maker knew that the server does.
    public let archive: HashedFile?
  }

  /// A package that was compiled for a stemcell, and its archive.
  public struct CompiledPackage: Sendable {
    public let name: String
    public let fingerprint: String
    public let digest: MultiDigest
    /// `os/version`.
    public let stemcell: String
    public let dependencies: [String]
    /// `compiled_packages/NAME.tgz`; nil when the tarball does not have it.
    public let archive: HashedFile?
  }

  public let manifest: ReleaseManifest
  public let jobs: [Job]
  public let packages: [Package]
  public let compiledPackages: [CompiledPackage]
  public let graph: PackageGraph
  /// Of the tarball itself: SHA-1 and SHA-256.
  public let digest: MultiDigest
  /// The folder that holds the archives; whoever has opened the tarball removes it.
  public let scratch: String

  /// Reads a tarball.
  ///
  /// - Parameters:
  ///   - file: Absolute path of the tarball, gzip-compressed or plain.
  ///   - scratch: Absolute path of a folder to make and put the archives in. Its parent must be there. When the tarball is
  ///     refused, nothing is left of it; otherwise the caller removes it when done.
  ///   - limits: Of the tarball, and of each archive inside.
  /// - Throws: ``Formats/DroverError`` that names the tarball, the file in it, and the field.
  public static func open(
    _ file: String, scratch: String, limits: ArchiveLimits = ArchiveLimits()
  ) throws -> ReleaseTarball {
    try Scratch(scratch).filling { folder in
      let reader = try ArchiveReader(file: file, limits: limits, hashing: [.sha1, .sha256])
      let contents = try ReleaseTarballContents(reader, into: folder)
      do {
        return try contents.release(scratch: folder, limits: limits)
      } catch let error as DroverError {
        throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
      }
    }
  }

  /// Only the manifest of a tarball: quick, without a check of anything else.
  public static func manifest(of file: String) throws -> ReleaseManifest {
    let reader = try ArchiveReader(file: file)
    while let entry = try reader.next() {
      guard entry.name == "release.MF" else { continue }
      return try ReleaseManifest(
        reader.readAll(atMost: ReleaseTarballContents.maximumManifest), file: "\(file): release.MF")
    }
    throw DroverError(.invalid, "\(file): has no release.MF; expected a release tarball")
  }
}
