import Clouds
import Documents
import Files
import Formats
import Glibc
import ReleaseFiles
import Releases
import Surroundings

/// The work of an `update_stemcell` task: hands the image to the cloud and records what came of it
/// (reference/director.md E.2).
struct StemcellUpload: Sendable {
  struct Order: Codable, Sendable {
    /// Where the tarball was put, or is to be put.
    var file: String
    /// Where it is to be fetched from; nil when it was sent.
    var remote: RemoteFile?
    /// Hand it to the cloud again.
    var fix: Bool
  }

  let director: Director
  let context: TaskContext
  let order: Order

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: Order.self)
  }

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
    let records = director.records
    let stage = context.stage("Update stemcell", total: order.remote == nil ? 4 : 5)
    if let remote = order.remote {
      try await stage.step("Downloading remote stemcell") { _ in
        try await remote.fetch(to: order.file, context.cancellation, director.engines.surroundings)
      }
    }
    let tarball = try await stage.step("Extracting stemcell archive") { _ in
      try await blocking { try StemcellTarball.open(order.file, scratch: scratch) }
    }
    let manifest = tarball.manifest
    let name = "\(manifest.name)/\(manifest.version)"
    return try await context.locked(["stemcell:\(name)": .exclusive]) {
      try await stage.step("Verifying stemcell manifest") { _ in
        let formats = try await director.engines.cloud.info().stemcellFormats
        let own = manifest.formats
        guard formats.isEmpty || own.isEmpty || !Set(formats).isDisjoint(with: own) else {
          throw DroverError(
            .unsupported,
            "stemcell '\(name)' has the formats \(own.joined(separator: ", ")); this cloud takes "
              + formats.joined(separator: ", "))
        }
      }
      if let known = try await records.stemcells.get(name), !order.fix {
        try await stage.step("Checking if this stemcell already exists") { _ in }
        return "/stemcells/\(known.name)"
      }
      let cid = try await stage.step("Uploading stemcell \(name) to the cloud") { _ in
        try await director.engines.cloud.createStemcell(
          imagePath: tarball.image.path, cloudProperties: manifest.cloudProperties, tags: [:])
      }
      _ = try await stage.step("Save stemcell \(name) (\(cid))") { _ in
        try await records.stemcells.put(
          name,
          StemcellRecord(
            name: manifest.name, version: manifest.version, operatingSystem: manifest.operatingSystem, cid: cid,
            apiVersion: manifest.apiVersion))
      }
      return "/stemcells/\(name)"
    }
  }
}
