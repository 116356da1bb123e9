import AgentProtocol
import Archives
import Files
import Formats
import Surroundings

/// Makes the VM hold what a spec says: `prepare` and `apply` (reference/agent.md 10).
struct Applier: Sendable {
  let layout: VMLayout
  let ownership: Ownership
  let installer: BundleInstaller
  let unrendered: UnrenderedJobs
  let blobs: AgentBlobs
  let supervisor: any JobSupervisor
  let system: SystemFiles
  let parallel: Int

  /// Installs everything beside what runs now; nothing is linked. Templates that are to be rendered here wait for `apply`,
  /// which knows the VM's addresses.
  func prepare(_ spec: ApplySpec) async throws {
    try await installAll(spec)
    try blobs.forget(spec.renderedTemplatesArchive?.blobstoreID ?? "")
  }

  /// Installs, links, and removes what the spec does not name. Control files come at `start`.
  func apply(_ spec: ApplySpec) async throws {
    try Files.remove(layout.monitJobs)
    try ownership.folder(layout.monitJobs, 0o750)
    try await installAll(spec)
    let packages = try spec.packages.map(Bundle.init)
    var jobs: [Bundle] = []
    if let archive = spec.renderedTemplatesArchive {
      jobs = try spec.jobs.map { try Bundle($0, archive: archive) }
    } else if spec.rendersOnVM {
      try await unrendered.install(spec)
      jobs = try UnrenderedJobs.bundles(spec)
    }
    for package in packages { try installer.link(package) }
    for job in jobs {
      try JobFolders.make(job.name, layout, ownership)
      try installer.link(job)
      try installer.linkPackages(packages, into: job)
    }
    try blobs.forget(spec.renderedTemplatesArchive?.blobstoreID ?? "")
    try await blocking { [jobs] in
      for kind in Bundle.Kind.allCases { try installer.keepOnly(jobs + packages, kind) }
    }
    try await supervisor.reload()
    try await system.writeLogRotation(layout: layout, maximumSize: spec.maximumLogFileSize)
  }

  private func installAll(_ spec: ApplySpec) async throws {
    if let archive = spec.renderedTemplatesArchive { try await installer.install(spec.jobs, from: archive) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, package) in spec.packages.enumerated() {
        if index >= parallel { try await group.next() }
        group.addTask { try await installer.install(package) }
      }
      try await group.waitForAll()
    }
  }
}

/// The folders that a job may write into while it runs (reference/agent.md 10).
enum JobFolders {
  static func make(_ job: String, _ layout: VMLayout, _ ownership: Ownership) throws {
    let name = try SafeName.component(job, "job")
    for parent in [layout.logs, layout.run, layout.data] {
      try ownership.folderIfMissing("\(parent)/\(name)", 0o770)
    }
  }
}
