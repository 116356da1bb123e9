import Archives
import Blobs
import Formats
import Glibc
import Surroundings
import Synchronization
import Templates

/// The files of a job's archive that are rendered: kept in memory for a while, since every deploy wants them again.
final class JobTemplates: Sendable {
  /// A job's `monit` file and what lies below `templates`, by path.
  struct Files: Sendable {
    var monit: [UInt8]
    var templates: [String: [UInt8]]
    var byteCount: Int { templates.values.reduce(monit.count) { $0 + $1.count } }
  }

  /// The most bytes of one job's templates.
  static let limitPerJob = 64 << 20
  /// Beyond this many bytes all are forgotten and read again when they are wanted.
  static let limitOfAll = 64 << 20

  private struct Kept {
    var files: [String: Files] = [:]
    var byteCount = 0
  }

  private let blobs: any BlobStore
  private let surroundings: Surroundings
  private let workDirectory: String
  private let kept = Mutex(Kept())

  /// - Parameter workDirectory: where archives are copied to that the blobstore does not keep in files.
  init(blobs: any BlobStore, workDirectory: String, surroundings: Surroundings) {
    self.blobs = blobs
    self.workDirectory = workDirectory
    self.surroundings = surroundings
  }

  func files(of job: JobRecord) async throws -> Files {
    if let files = kept.withLock({ $0.files[job.blobID] }) { return files }
    let files = try await read(job)
    kept.withLock { kept in
      if kept.byteCount + files.byteCount > Self.limitOfAll { kept = Kept() }
      kept.byteCount += files.byteCount
      kept.files[job.blobID] = files
    }
    return files
  }

  private func read(_ job: JobRecord) async throws -> Files {
    guard try await blobs.exists(job.blobID) else {
      throw DroverError(.notFound, "reading job '\(job.name)': its archive, blob '\(job.blobID)', is gone")
    }
    if let path = try await blobs.file(job.blobID) { return try Self.read(path) }
    let copy = "\(workDirectory)/job-\(surroundings.identifier()).tgz"
    defer { unlink(copy) }
    try await blobs.copy(job.blobID, to: copy)
    return try Self.read(copy)
  }

  private static func read(_ path: String) throws -> Files {
    var files = Files(monit: [], templates: [:])
    let reader = try ArchiveReader(file: path, limits: .small)
    while let entry = try reader.next() {
      guard entry.kind == .file else { continue }
      if entry.name == "monit" {
        files.monit = try reader.readAll(atMost: limitPerJob)
      } else if entry.name.hasPrefix("templates/") {
        files.templates[String(entry.name.dropFirst("templates/".count))] = try reader.readAll(atMost: limitPerJob)
      }
    }
    return files
  }
}
