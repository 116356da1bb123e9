public import Blobs
import Documents
public import Formats
import Releases

/// Releases, stemcells and blobs, as the API offers them (reference/director.md A.4).
extension Director {
  public func releasesListing() async throws -> Value {
    let deployed = Set(try await records.deployments.list().flatMap(\.body.releases))
    let all = try await records.releases.list().map(\.body)
    return .array(
      Set(all.map(\.name)).sorted().map { name -> Value in
        [
          "name": .string(name),
          "release_versions": .array(
            all.filter { $0.name == name }.map { release -> Value in
              [
                "version": .string(release.version), "commit_hash": .string(release.commitHash),
                "uncommitted_changes": .bool(release.uncommittedChanges),
                "currently_deployed": .bool(deployed.contains("\(name)/\(release.version)")),
                "job_names": Value(release.jobs.map(\.name)),
              ]
            }),
        ]
      })
  }

  public func releaseVersions(_ name: String) async throws -> Value {
    let versions = try await records.releases.list(prefix: "\(name)/").map(\.body.version)
    guard !versions.isEmpty else { throw DirectorFailure.releaseNotFound(name) }
    return ["versions": Value(versions)]
  }

  public func releaseDescription(_ name: String, _ version: String) async throws -> Value {
    guard let release = try await records.releases.get("\(name)/\(version)")?.body else {
      throw DirectorFailure.releaseVersionNotFound(name, version)
    }
    let compiled = try await records.compiledPackages.list().map(\.body)
    return [
      "jobs": .array(
        try release.jobs.map { job -> Value in
          let document = try JSON.parse(job.spec)
          return [
            "name": .string(job.name), "fingerprint": .string(job.fingerprint), "blobstore_id": .string(job.blobID),
            "sha1": .string(job.digest), "consumes": document["consumes"] ?? .null,
            "provides": document["provides"] ?? .null, "kind": .string((job.kind ?? .job).rawValue),
          ]
        }),
      "packages": .array(
        release.packages.map { package -> Value in
          [
            "name": .string(package.name), "fingerprint": .string(package.fingerprint),
            "blobstore_id": .string(package.blobID), "sha1": .string(package.digest),
            "compiled_packages": .array(
              compiled.filter { $0.fingerprint == package.fingerprint }.map { record -> Value in
                [
                  "stemcell": .string(record.stemcell), "sha1": .string(record.digest),
                  "blobstore_id": .string(record.blobID),
                ]
              }),
          ]
        }),
    ]
  }

  /// Fingerprints of those packages of a `release.MF` whose archives are here.
  public func knownPackages(releaseManifest text: String) async throws -> [String] {
    let manifest = try ReleaseManifest(Array(text.utf8))
    var known: Set<String> = []
    for release in try await records.releases.list().map(\.body) {
      for package in release.packages where try await engines.blobs.exists(package.blobID) {
        known.insert(package.fingerprint)
      }
    }
    return manifest.packages.map(\.fingerprint).filter(known.contains)
  }

  /// Takes a release tarball and starts the task that reads it.
  public func uploadRelease(
    _ body: some AsyncSequence<[UInt8], any Error> & Sendable, rebase: Bool, fix: Bool, digest: String?, user: String
  ) async throws -> Int {
    let (id, file) = try await receive(body)
    return try await readRelease(id, file, nil, .init(rebase: rebase, fix: fix, digest: digest), user: user)
  }

  /// Starts the task that fetches a release tarball and reads it.
  public func fetchRelease(_ remote: RemoteFile, rebase: Bool, fix: Bool, user: String) async throws -> Int {
    let (id, file) = try await place()
    return try await readRelease(id, file, remote, .init(rebase: rebase, fix: fix), user: user)
  }

  private func readRelease(
    _ id: Int, _ file: String, _ remote: RemoteFile?, _ options: ReleaseUpload.Options, user: String
  ) async throws -> Int {
    try await tasks.start(
      TaskBoard.Order(
        type: "update_release", description: "create release", user: user,
        request: ReleaseUpload.Order(file: file, remote: remote, options: options)), id: id)
  }

  public func deleteRelease(_ name: String, version: String?, user: String) async throws -> Int {
    try await tasks.start(
      TaskBoard.Order(
        type: "delete_release", description: "delete release: \(name)\(version.map { "/\($0)" } ?? "")", user: user,
        request: DeleteArtifact.Order(name: name, version: version)))
  }

  public func stemcellsListing() async throws -> Value {
    let deployments = try await records.deployments.list().map(\.body)
    return .array(
      try await records.stemcells.list().map { entry -> Value in
        let stemcell = entry.body
        return [
          "name": .string(stemcell.name), "operating_system": .string(stemcell.operatingSystem),
          "version": .string(stemcell.version), "cid": .string(stemcell.cid), "cpi": "",
          "deployments": .array(
            deployments.filter { $0.stemcells.contains(entry.name) }.map { ["name": .string($0.name)] }),
          "api_version": .int(stemcell.apiVersion), "id": .int(Int(entry.revision)),
        ]
      })
  }

  /// Whether a stemcell is worth sending. The CLI asks with empty names when it does not know.
  public func needsStemcell(_ name: String, _ version: String) async throws -> Bool {
    try await records.stemcells.get("\(name)/\(version)") == nil
  }

  /// Takes a stemcell tarball and starts the task that hands it to the cloud.
  public func uploadStemcell(
    _ body: some AsyncSequence<[UInt8], any Error> & Sendable, fix: Bool, user: String
  ) async throws -> Int {
    let (id, file) = try await receive(body)
    return try await readStemcell(id, file, nil, fix: fix, user: user)
  }

  /// Starts the task that fetches a stemcell tarball and hands it to the cloud.
  public func fetchStemcell(_ remote: RemoteFile, fix: Bool, user: String) async throws -> Int {
    let (id, file) = try await place()
    return try await readStemcell(id, file, remote, fix: fix, user: user)
  }

  private func readStemcell(
    _ id: Int, _ file: String, _ remote: RemoteFile?, fix: Bool, user: String
  ) async throws -> Int {
    try await tasks.start(
      TaskBoard.Order(
        type: "update_stemcell", description: "create stemcell", user: user,
        request: StemcellUpload.Order(file: file, remote: remote, fix: fix)), id: id)
  }

  public func deleteStemcell(_ name: String, _ version: String, user: String) async throws -> Int {
    try await tasks.start(
      TaskBoard.Order(
        type: "delete_stemcell", description: "delete stemcell: \(name)/\(version)", user: user,
        request: DeleteArtifact.Order(name: name, version: version)))
  }

  /// A blob's size and bytes.
  public func blob(_ id: String) async throws -> (size: Int64, bytes: BlobBytes) {
    guard let size = try await engines.blobs.size(id) else {
      throw DirectorFailure(60000, status: 404, "Resource '\(id)' not found in the blobstore")
    }
    return (size, try await engines.blobs.read(id, range: nil))
  }

  /// The id of a task that will read an upload, and where in the work folder that is.
  private func place() async throws -> (task: Int, file: String) {
    let id = try await tasks.reserveID()
    return (id, "\(engines.workDirectory)/upload-\(id).tgz")
  }

  private func receive(
    _ body: some AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> (task: Int, file: String) {
    let (id, file) = try await place()
    try await Uploads.write(body, to: file)
    return (id, file)
  }
}
