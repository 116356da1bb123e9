import Blobs
import Clouds
import Documents
import Formats

/// The work of `delete_release` and `delete_stemcell` tasks: what a deployment uses stays.
struct DeleteArtifact: Sendable {
  struct Order: Codable, Sendable {
    var name: String
    /// Nil for all versions of a release.
    var version: String?
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

  func deleteRelease() async throws -> String? {
    try await context.locked(["release:\(order.name)": .exclusive]) {
      let known = try await records.releases.list(prefix: "\(order.name)/")
      let doomed = known.filter { order.version == nil || $0.body.version == order.version }
      guard !doomed.isEmpty else {
        throw order.version.map { DirectorFailure.releaseVersionNotFound(order.name, $0) }
          ?? DirectorFailure.releaseNotFound(order.name)
      }
      for release in doomed {
        let users = try await records.deployments.list().filter { $0.body.releases.contains(release.name) }
        guard users.isEmpty else {
          throw DirectorFailure(
            30007,
            "Release '\(release.name)' is in use by \(users.map(\.name).joined(separator: ", ")); delete those first")
        }
      }
      _ = try await director.engines.store.commit(doomed.map { records.releases.deleting($0.name) })
      try await sweepBlobs(of: doomed.map(\.body))
      return "/release/\(order.name)"
    }
  }

  /// Deletes the archives that no other release has.
  private func sweepBlobs(of releases: [ReleaseRecord]) async throws {
    let kept = Set(
      try await records.releases.list().flatMap { $0.body.jobs.map(\.blobID) + $0.body.packages.map(\.blobID) })
    for release in releases {
      for blob in release.jobs.map(\.blobID) + release.packages.map(\.blobID) where !kept.contains(blob) {
        try await director.engines.blobs.delete(blob)
      }
    }
  }

  func deleteStemcell() async throws -> String? {
    let name = "\(order.name)/\(order.version ?? "")"
    return try await context.locked(["stemcell:\(name)": .exclusive]) {
      guard let stemcell = try await records.stemcells.get(name)?.body else {
        throw DirectorFailure.stemcellNotFound(name)
      }
      let users = try await records.deployments.list().filter { $0.body.stemcells.contains(name) }
      guard users.isEmpty else {
        throw DirectorFailure(
          50004, "Stemcell '\(name)' is in use by \(users.map(\.name).joined(separator: ", ")); delete those first")
      }
      try await director.engines.cloud.deleteStemcell(stemcell.cid)
      for package in try await records.compiledPackages.list() where package.body.stemcell == stemcell.compilationTarget
      {
        try await director.engines.blobs.delete(package.body.blobID)
        try await records.compiledPackages.delete(package.name)
      }
      try await records.stemcells.delete(name)
      return "/stemcells/\(name)"
    }
  }
}
