import ArgumentParser
import Formats
import ReleaseFiles
import Releases
import Surroundings

struct CreateRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create-release", abstract: "Make a release from its folder.",
    discussion: """
      Makes a dev version, 0+dev.N, unless --version says otherwise; the same sources give the same fingerprints. \
      Without --tarball only the folder's own records are written.
      """)
  @Option(help: "The release's folder.") var dir = "."
  @Option(help: "The release's name, instead of that of config/final.yml.") var name: String?
  @Option(help: "The version, instead of the next dev version.") var version: String?
  @Option(help: "Where to put the tarball.") var tarball: String?
  @Flag(help: "Although there are changes that are not committed.") var force = false
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let folder = try ReleaseFolder(absolutePath(dir))
    let created = try await folder.create(
      .init(name: name, version: version, force: force, tarball: tarball.map(absolutePath)),
      entryID: Surroundings.system.identifier())
    let manifest = created.manifest
    if json {
      Console.printJSON([
        "name": .string(manifest.name), "version": .string(manifest.version),
        "commit_hash": .string(manifest.commitHash), "tarball": Value(created.tarball),
        "sha": Value(created.digest.map { "\($0)" }),
        "jobs": .array(
          manifest.jobs.map {
            [
              "name": .string($0.name), "fingerprint": .string($0.fingerprint),
              "kind": .string(created.errands.contains($0.name) ? "errand" : "job"),
            ]
          }),
        "packages": .array(
          manifest.packages.map { ["name": .string($0.name), "fingerprint": .string($0.fingerprint)] }),
      ])
      return
    }
    Console.print("Release \(manifest.name)/\(manifest.version)")
    for job in manifest.jobs {
      Console.print("  \(created.errands.contains(job.name) ? "errand " : "job    ")  \(job.name)/\(job.fingerprint)")
    }
    for package in manifest.packages { Console.print("  package  \(package.name)/\(package.fingerprint)") }
    if let tarball = created.tarball { Console.print("Tarball  \(tarball)") }
  }
}
