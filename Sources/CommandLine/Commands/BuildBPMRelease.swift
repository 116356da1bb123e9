import ArgumentParser
import Files
import Formats
import Processes
import ReleaseFiles
import Releases
import Surroundings

struct BuildBPMRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build-bpm-release", abstract: "Make a release named bpm of this bpm, runc and tini.",
    discussion: """
      Deployments that colocate the job bpm of the release bpm take it unchanged. bpm has to be a static executable \
      (make release builds one); runc and tini are this machine's.
      """)
  @Option(help: "Where to put the tarball.") var tarball = "bpm.tgz"
  @Option(help: "The release's version (default: what bpm says, else 0.1.0).") var version: String?
  @Option(help: "The bpm to put in (default: the one beside this program).") var bpm: String?
  @Option(help: "The runc to put in.") var runc = "/usr/sbin/runc"
  @Option(help: "The tini to put in.") var tini = "/usr/bin/tini-static"

  func run() async throws {
    let program = try bpm.map(absolutePath) ?? Executables.beside("bpm")
    let said = try await Command(program, "version").run().text.split(separator: "\n").first.map(String.init)
    let version = version ?? said.flatMap { $0.hasPrefix("[") ? nil : $0 } ?? "0.1.0"
    let folder = try Files.makeTemporaryFolder("drover-bpm-release")
    defer { try? Files.remove(folder) }
    let source = BPMRelease(bpm: program, runc: absolutePath(runc), tini: absolutePath(tini))
    let created = try await blocking { try source.write(to: folder) }
      .create(
        .init(version: version, force: true, tarball: absolutePath(tarball)),
        entryID: Surroundings.system.identifier())
    Console.print("Release \(created.manifest.name)/\(created.manifest.version)")
    if let tarball = created.tarball { Console.print("Tarball  \(tarball)") }
  }
}
