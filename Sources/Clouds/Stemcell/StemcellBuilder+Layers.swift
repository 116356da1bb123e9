import Files
import Formats
import Glibc
import Processes
import Surroundings

/// The two layers of a stemcell's image.
extension StemcellBuilder {
  /// The cached layer without the agent.
  struct RootFileSystem: Sendable, Hashable {
    /// A gzip-compressed tar archive without its end.
    var archive: String
    /// Names of the shared libraries in it.
    var libraries: String
    /// Names and versions of the packages in it.
    var packages: String
  }

  /// The layer of the recipe, from the cache or built.
  func rootFileSystem(_ progress: (String) -> Void) async throws -> RootFileSystem {
    let name = "\(configuration.cache)/rootfs-\(recipe.digest.prefix(20))"
    let result = RootFileSystem(
      archive: "\(name)/rootfs.tar.gz", libraries: "\(name)/libraries", packages: "\(name)/packages.txt")
    if try Files.exists(name) { return result }
    let sources = try await aptSources()
    let folder = "\(configuration.cache)/.building-\(surroundings.identifier())"
    let root = "\(folder)/root"
    try Files.makeFolder("\(folder)/layer")
    do {
      progress("installing the base system of Debian \(recipe.suite) from \(sources.mirror)")
      try await script(StemcellScripts.bootstrap, root, recipe.suite, sources.mirror)
      progress("installing \(recipe.packages.count) packages")
      let settings = try await AptSources.acquireSettings(dump: Command("apt-config", "dump").run().text)
      let installed = try await script(
        StemcellScripts.packages, [root, sources.lines.joined(separator: "\n"), settings] + recipe.packages)
      progress("configuring the system")
      for file in recipe.files {
        let path = "\(folder)/files\(file.path)"
        try Files.makeFolder(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)))
        try Files.replace(path, with: Array(file.text.utf8), mode: file.mode)
      }
      try await script(recipe.script, root, "\(folder)/files")
      progress("packing the system")
      try await script(StemcellScripts.pack, root, "\(folder)/layer/rootfs.tar.gz", "\(folder)/layer/libraries")
      try Files.replace("\(folder)/layer/packages.txt", with: installed, mode: 0o644)
      try await Command("mv", "-T", "\(folder)/layer", name).run()
    } catch {
      _ = try? await Command("rm", "-rf", "--one-file-system", folder).run()
      throw error
    }
    try await Command("rm", "-rf", "--one-file-system", folder).run()
    for other in try Files.names(in: configuration.cache) where other.hasPrefix("rootfs-") && !name.hasSuffix(other) {
      try Files.remove("\(configuration.cache)/\(other)")
    }
    return result
  }

  private func aptSources() async throws -> AptSources {
    let format = "$(REPO_URI)|$(CODENAME)|$(COMPONENT)"
    let targets = try await Command("apt-get", "indextargets", "--format", format).result()
    if let sources = AptSources(indexTargets: targets.text, suite: recipe.suite, mirror: configuration.mirror) {
      return sources
    }
    throw DroverError(
      .notFound,
      "building a stemcell: apt on this machine has no repository of Debian \(recipe.suite); name a mirror that has it")
  }

  @discardableResult
  private func script(_ text: String, _ arguments: String...) async throws -> [UInt8] {
    try await script(text, arguments)
  }

  private func script(_ text: String, _ arguments: [String]) async throws -> [UInt8] {
    let command = Command(
      ["unshare", "--mount", "--propagation", "private", "bash", "-o", "pipefail", "-c", text, "stemcell"] + arguments)
    let result = try await command.result()
    guard result.succeeded else {
      throw DroverError(.failed, "building a stemcell: \(result.ending): \(result.lastErrorLines(8))")
    }
    return result.output
  }

  /// The agent with its libraries, also under the name of monit, and the version, as a layer of its own.
  func agentLayer(in folder: String, version: String, base: RootFileSystem) async throws -> String {
    let root = "\(folder)/agent"
    let bosh = "\(root)/var/vcap/bosh"
    for name in ["bin", "lib", "etc"] { try Files.makeFolder("\(bosh)/\(name)") }
    let agent = "\(bosh)/bin/drover-agent"
    let present = Set(
      String(decoding: try Files.read(base.libraries), as: UTF8.self).split(separator: "\n").map(String.init))
    let linked = try await Command("ldd", configuration.agent).result()
    let libraries = linked.succeeded ? try SharedLibraries.missing(ldd: linked.text, present: present) : []
    // Debug information is most of an executable and nothing reads it on a VM.
    let stripped = try? await Command("strip", "-o", agent, configuration.agent).run()
    if stripped == nil { try await Command("cp", configuration.agent, agent).run() }
    for library in libraries { try await Command("cp", "-L", library, "\(bosh)/lib/").run() }
    try Files.replace("\(bosh)/etc/stemcell_version", with: Array(version.utf8), mode: 0o644)
    let archive = "\(folder)/agent.tar.gz"
    let pack = """
      set -eu
      chmod -R u=rwX,go=rX "$1"
      chmod 755 "$1/var/vcap/bosh/bin/drover-agent"
      ln -sfn drover-agent "$1/var/vcap/bosh/bin/monit"
      mkdir -p "$1/usr/bin"
      ln -sfn /var/vcap/bosh/bin/monit "$1/usr/bin/monit"
      tar -C "$1" --create --numeric-owner --owner 0 --group 0 --no-recursion --sort=name \\
        $(cd "$1" && find usr var/vcap/bosh -mindepth 2 -printf './%p ') | gzip -1 >"$2"
      """
    try await script(pack, root, archive)
    return archive
  }
}
