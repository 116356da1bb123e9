import Blobs
import Digests
import Dispatch
import Documents
import Files
import Formats
import Glibc
import ReleaseFiles
import Releases
import Surroundings

/// The work of an `update_release` task: reads the tarball, stores what is new of it, records the release
/// (reference/director.md E.1).
struct ReleaseUpload: Sendable {
  /// How an upload is meant.
  struct Options: Codable, Sendable, Hashable {
    /// Record it as the next dev version after the newest one.
    var rebase: Bool
    /// Store every archive again.
    var fix: Bool
    /// What the tarball must hash to.
    var digest: String?
  }

  struct Order: Codable, Sendable {
    /// Where the tarball was put, or is to be put.
    var file: String
    /// Where it is to be fetched from; nil when it was sent.
    var remote: RemoteFile?
    var options: Options
  }

  let director: Director
  let context: TaskContext
  let order: Order

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: Order.self)
  }

  private var records: Records { director.records }

  /// What came of it is kept before the upload is removed: a server that takes the task up again, at whatever moment this
  /// one ended, has either the one or the other.
  func run() async throws -> String? {
    defer { if !Task.isCancelled { unlink(order.file) } }
    return try await context.once("result") {
      try await Uploads.naming(order.file) { try await work() }
    }
  }

  private func work() async throws -> String? {
    let scratch = "\(order.file).scratch"
    try Files.remove(scratch)
    defer { try? Files.remove(scratch) }
    if let remote = order.remote {
      try await context.stage("Downloading remote release", total: 1).step("Downloading remote release") { _ in
        try await remote.fetch(to: order.file, context.cancellation, director.engines.surroundings)
      }
    }
    let extracting = context.stage("Extracting release", total: 1)
    let tarball = try await extracting.step("Extracting release") { _ in
      let tarball = try await blocking { try ReleaseTarball.open(order.file, scratch: scratch) }
      if let digest = order.options.digest { try MultiDigest(digest).verify(tarball.digest) }
      return tarball
    }
    guard tarball.compiledPackages.isEmpty else {
      throw DroverError(
        .unsupported, "release '\(tarball.manifest.name)': compiled releases are not taken yet; upload its source")
    }
    do {
      return try await record(tarball)
    } catch {
      // The server stops: the next one stores the same archives under the same ids. Otherwise nothing is left of it.
      if !Task.isCancelled { await forgetArchives(of: tarball) }
      throw error
    }
  }

  private func record(_ tarball: ReleaseTarball) async throws -> String? {
    try await context.locked(["release:\(tarball.manifest.name)": .exclusive]) { () -> String? in
      let verifying = context.stage("Verifying manifest", total: 1)
      let version = try await verifying.step("Verifying manifest") { _ in try await chosenVersion(of: tarball) }
      let packages = try await storePackages(tarball)
      let jobs = try await storeJobs(tarball)
      let record = ReleaseRecord(
        name: tarball.manifest.name, version: version, commitHash: tarball.manifest.commitHash,
        uncommittedChanges: tarball.manifest.uncommittedChanges, jobs: jobs, packages: packages)
      try await records.releases.put("\(record.name)/\(record.version)", record)
      let created = context.stage("Release has been created", total: 1)
      try await created.step("\(record.name)/\(record.version)") { _ in }
      return "Created release '\(record.name)/\(record.version)'"
    }
  }

  /// The id of an archive that this task stores: the same one when the task is taken up again.
  private func blobID(_ kind: String, _ name: String) -> String {
    RequestIdentity(task: context.id, agent: kind, step: name).uuid
  }

  private func forgetArchives(of tarball: ReleaseTarball) async {
    let ids = tarball.packages.map { blobID("package", $0.name) } + tarball.jobs.map { blobID("job", $0.spec.name) }
    for id in ids { try? await director.engines.blobs.delete(id) }
  }

  /// The version to record; refuses another content under a version that is there.
  private func chosenVersion(of tarball: ReleaseTarball) async throws -> String {
    let manifest = tarball.manifest
    let known = try await records.releases.list(prefix: "\(manifest.name)/").map(\.body)
    if order.options.rebase {
      let same = known.first { record in
        Set(record.jobs.map(\.fingerprint)) == Set(tarball.jobs.map(\.fingerprint))
          && Set(record.packages.map(\.fingerprint)) == Set(tarball.packages.map(\.fingerprint))
      }
      if let same { return same.version }
      let base = try SemiSemanticVersion(manifest.version)
      let newest = try known.map { try SemiSemanticVersion($0.version) }.filter { $0.base == base.base }.max()
      return "\((newest ?? base).nextDevelopment)"
    }
    guard let existing = known.first(where: { $0.version == manifest.version }) else { return manifest.version }
    for job in tarball.jobs {
      if let other = existing.jobs.first(where: { $0.name == job.spec.name }), other.fingerprint != job.fingerprint {
        throw DirectorFailure(
          30013,
          "Release '\(manifest.name)/\(manifest.version)' is there already, with another job '\(job.spec.name)'; "
            + "upload it under a new version")
      }
    }
    for package in tarball.packages {
      if let other = existing.packages.first(where: { $0.name == package.name }),
        other.fingerprint != package.fingerprint
      {
        throw DirectorFailure(
          30012,
          "Release '\(manifest.name)/\(manifest.version)' is there already, with another package '\(package.name)'; "
            + "upload it under a new version")
      }
    }
    return manifest.version
  }

  /// Stores the archives that are new. One whose fingerprint is known from any release is not stored again.
  private func storePackages(_ tarball: ReleaseTarball) async throws -> [PackageRecord] {
    var known: [String: PackageRecord] = [:]
    for release in try await records.releases.list().map(\.body) {
      for package in release.packages { known[package.fingerprint] = package }
    }
    let stage = context.stage("Creating new packages", total: tarball.packages.count)
    var stored: [PackageRecord] = []
    for package in tarball.packages {
      try context.cancellation.check()
      if !order.options.fix, let same = known[package.fingerprint], try await director.engines.blobs.exists(same.blobID)
      {
        stored.append(
          PackageRecord(
            name: package.name, fingerprint: package.fingerprint, blobID: same.blobID, digest: same.digest,
            dependencies: package.dependencies))
        continue
      }
      guard let archive = package.archive else {
        throw DroverError(
          .invalid,
          "release '\(tarball.manifest.name)': package '\(package.name)' is not in the tarball, and none with its "
            + "fingerprint \(package.fingerprint) is known here; upload the whole tarball")
      }
      let blob = try await stage.step("\(package.name)/\(package.fingerprint)") { _ in
        try await director.engines.blobs.put(file: archive.path, id: blobID("package", package.name))
      }
      stored.append(
        PackageRecord(
          name: package.name, fingerprint: package.fingerprint, blobID: blob.id, digest: "\(blob.digest)",
          dependencies: package.dependencies))
    }
    return stored
  }

  private func storeJobs(_ tarball: ReleaseTarball) async throws -> [JobRecord] {
    var known: [String: JobRecord] = [:]
    for release in try await records.releases.list(prefix: "\(tarball.manifest.name)/").map(\.body) {
      for job in release.jobs { known["\(job.name)/\(job.fingerprint)"] = job }
    }
    let stage = context.stage("Creating new jobs", total: tarball.jobs.count)
    var stored: [JobRecord] = []
    for job in tarball.jobs {
      try context.cancellation.check()
      if !order.options.fix, let same = known["\(job.spec.name)/\(job.fingerprint)"],
        try await director.engines.blobs.exists(same.blobID)
      {
        stored.append(same)
        continue
      }
      let blob = try await stage.step("\(job.spec.name)/\(job.fingerprint)") { _ in
        try await director.engines.blobs.put(file: job.archive.path, id: blobID("job", job.spec.name))
      }
      stored.append(
        JobRecord(
          name: job.spec.name, fingerprint: job.fingerprint, blobID: blob.id, digest: "\(blob.digest)",
          spec: JSON.text(job.document), kind: job.kind == .job ? nil : job.kind))
    }
    return stored
  }
}
