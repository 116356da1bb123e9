public import Releases

/// A version of a release that was uploaded. Kind `release`, named `NAME/VERSION`.
public struct ReleaseRecord: Codable, Sendable, Hashable {
  public var name: String
  public var version: String
  public var commitHash: String
  public var uncommittedChanges: Bool
  public var jobs: [JobRecord]
  public var packages: [PackageRecord]

  public init(
    name: String, version: String, commitHash: String, uncommittedChanges: Bool, jobs: [JobRecord],
    packages: [PackageRecord]
  ) {
    self.name = name
    self.version = version
    self.commitHash = commitHash
    self.uncommittedChanges = uncommittedChanges
    self.jobs = jobs
    self.packages = packages
  }
}

/// A job of a release: its archive, and its `job.MF` as JSON text, which ``Releases/JobSpec`` reads.
public struct JobRecord: Codable, Sendable, Hashable {
  public var name: String
  public var fingerprint: String
  public var blobID: String
  /// Multi-digest of the archive.
  public var digest: String
  /// `job.MF` as JSON.
  public var spec: String
  /// Nil is a job.
  public var kind: JobKind?

  public init(
    name: String, fingerprint: String, blobID: String, digest: String, spec: String, kind: JobKind? = nil
  ) {
    self.name = name
    self.fingerprint = fingerprint
    self.blobID = blobID
    self.digest = digest
    self.spec = spec
    self.kind = kind
  }
}

/// A source package of a release.
public struct PackageRecord: Codable, Sendable, Hashable {
  public var name: String
  public var fingerprint: String
  public var blobID: String
  /// Multi-digest of the archive.
  public var digest: String
  /// Names of packages of the same release that must be there to compile this one.
  public var dependencies: [String]

  public init(name: String, fingerprint: String, blobID: String, digest: String, dependencies: [String]) {
    self.name = name
    self.fingerprint = fingerprint
    self.blobID = blobID
    self.digest = digest
    self.dependencies = dependencies
  }
}

/// A package compiled for a stemcell. Kind `compiled-package`, named by ``key``: the same sources, dependencies and
/// stemcell are never compiled twice.
public struct CompiledPackageRecord: Codable, Sendable, Hashable {
  public var name: String
  public var fingerprint: String
  /// `os/version`.
  public var stemcell: String
  /// Digest over name, fingerprint, the dependencies' keys and the stemcell.
  public var key: String
  public var blobID: String
  public var digest: String

  public init(name: String, fingerprint: String, stemcell: String, key: String, blobID: String, digest: String) {
    self.name = name
    self.fingerprint = fingerprint
    self.stemcell = stemcell
    self.key = key
    self.blobID = blobID
    self.digest = digest
  }
}
