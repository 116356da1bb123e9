import AgentProtocol
import Archives
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Puts jobs, errands and packages into their folders. A folder is complete when it is there: contents are made beside it and
/// renamed, so that an agent that was killed leaves nothing half-installed.
struct BundleInstaller: Sendable {
  let layout: VMLayout
  let ownership: Ownership
  let blobs: AgentBlobs

  func isInstalled(_ bundle: Bundle) throws -> Bool { try FileFacts(bundle.folder(layout))?.kind == .folder }

  /// Installs a compiled package unless it is there.
  func install(_ package: ApplySpec.Package) async throws {
    let bundle = try Bundle(package)
    if try isInstalled(bundle) { return }
    do {
      let source = AgentBlobs.Source(
        blobstoreID: package.blobstoreID, signedURL: package.signedURL, headers: package.blobstoreHeaders)
      let archive = try await blobs.fetch(source, digest: package.sha1)
      defer { try? Files.remove(archive) }
      try await blocking {
        try unpack(archive, bundle, .package) { folder in try ownership.apply(folder, 0o755, vcap: true) }
      }
    } catch {
      throw DroverError(Self.code(error), "installing package \(package.name)", cause: error)
    }
  }

  /// Installs those jobs that are not there; the archive with all of them is fetched once.
  func install(_ jobs: [ApplySpec.Template], from archive: ApplySpec.RenderedTemplatesArchive) async throws {
    let missing = try jobs.filter { try !isInstalled(Bundle($0, archive: archive)) }
    if missing.isEmpty { return }
    let file: String
    do {
      file = try await blobs.fetch(
        AgentBlobs.Source(blobstoreID: archive.blobstoreID, signedURL: archive.signedURL), digest: archive.sha1)
    } catch {
      throw DroverError(Self.code(error), "fetching the archive of rendered templates", cause: error)
    }
    defer { try? Files.remove(file) }
    do {
      try await blocking { [missing] in try unpackJobs(file, missing, archive) }
    } catch let error as JobFailure {
      throw DroverError(Self.code(error.cause), "installing \(error.what)", cause: error.cause)
    } catch {
      throw DroverError(Self.code(error), "unpacking the archive of rendered templates", cause: error)
    }
  }

  private static let temporaryPrefix = ".rendered-"

  /// Removes what an installation left that was killed.
  func sweep() throws {
    let parent = "\(layout.data)/jobs"
    for name in try Files.names(in: parent) where name.hasPrefix(Self.temporaryPrefix) {
      try Files.remove("\(parent)/\(name)")
    }
  }

  private struct JobFailure: Error {
    let what: String
    let cause: any Error
  }

  /// The archive is read once for all jobs, into a folder beside theirs; each is moved from there when it is as it
  /// should be.
  private func unpackJobs(
    _ file: String, _ jobs: [ApplySpec.Template], _ archive: ApplySpec.RenderedTemplatesArchive
  ) throws {
    // Where only root may write: what is unpacked here will be run.
    let parent = "\(layout.data)/jobs"
    let temporary = "\(parent)/\(Self.temporaryPrefix)\(SafeName.fileName(String(archive.blobstoreID.suffix(40))))"
    try ownership.folderIfMissing(parent, 0o750)
    try Files.remove(temporary)
    defer { try? Files.remove(temporary) }
    try Archives.unpack(file, into: temporary, options: .strict)
    for job in jobs {
      do {
        let source = "\(temporary)/\(try SafeName.component(job.name, "job"))"
        guard try FileFacts(source)?.kind == .folder else {
          throw DroverError(.notFound, "the archive holds nothing below '\(job.name)/'")
        }
        try JobModes.apply(source, Bundle.Kind(job), ownership)
        try put(source, Bundle(job, archive: archive))
      } catch {
        throw JobFailure(what: "\(Bundle.Kind(job).noun) \(job.name)", cause: error)
      }
    }
  }

  /// Makes an empty bundle anew, for a compilation to fill.
  func makeEmpty(_ bundle: Bundle) throws {
    try Files.remove(bundle.folder(layout))
    try ownership.folder(bundle.parent(layout), 0o755)
    try ownership.folder(bundle.folder(layout), 0o755)
  }

  func link(_ bundle: Bundle) throws {
    try ownership.folder(bundle.kind.links(layout), bundle.kind.mode)
    try Links.link(bundle.link(layout), to: bundle.folder(layout))
  }

  /// Links every package into the job, and removes links to others.
  func linkPackages(_ packages: [Bundle], into job: Bundle) throws {
    let farm = "\(job.folder(layout))/packages"
    try ownership.folder(farm, 0o755)
    for package in packages { try Links.link("\(farm)/\(package.name)", to: package.folder(layout)) }
    let wanted = Set(packages.map(\.name))
    for name in try Files.names(in: farm) where !wanted.contains(name) { try Files.remove("\(farm)/\(name)") }
  }

  /// Removes every bundle of a kind but those of these: the link first, then the folder.
  func keepOnly(_ bundles: [Bundle], _ kind: Bundle.Kind) throws {
    let wanted = Dictionary(
      bundles.filter { $0.kind == kind }.map { ($0.name, $0.identity) }, uniquingKeysWith: { _, last in last })
    let links = kind.links(layout)
    for name in try Files.names(in: links) where wanted[name] == nil { try Files.remove("\(links)/\(name)") }
    let parent = kind.folders(layout)
    for name in try Files.names(in: parent) {
      for identity in try Files.names(in: "\(parent)/\(name)") where wanted[name] != identity {
        try Files.remove("\(parent)/\(name)/\(identity)")
      }
    }
  }

  private func unpack(
    _ archive: String, _ bundle: Bundle, _ options: Archives.UnpackOptions, _ finish: (String) throws -> Void
  ) throws {
    try make(bundle) { temporary in
      try Archives.unpack(archive, into: temporary, options: options)
      try finish(temporary)
    }
  }

  private func put(_ source: String, _ bundle: Bundle) throws {
    let folder = bundle.folder(layout)
    try ownership.folder(bundle.parent(layout), bundle.kind.mode)
    guard rename(source, folder) == 0 else { throw systemError("installing \(folder)") }
  }

  /// Fills a folder beside the bundle's own and renames it.
  func make(_ bundle: Bundle, _ fill: (String) throws -> Void) throws {
    let folder = bundle.folder(layout)
    let temporary = "\(folder).new"
    try ownership.folder(bundle.parent(layout), bundle.kind.mode)
    try Files.remove(temporary)
    do {
      try fill(temporary)
      guard rename(temporary, folder) == 0 else { throw systemError("installing \(folder)") }
    } catch {
      try? Files.remove(temporary)
      throw error
    }
  }

  static func code(_ error: any Error) -> DroverError.Code { (error as? DroverError)?.code ?? .failed }
}
