import Archives
import Digests
import Files
import Formats
import Glibc
import Processes
import Releases
public import Surroundings

/// Builds a stemcell for the runc cloud from Debian 12, in BOSH's stemcell format (reference/director.md E.2).
///
/// Two layers are cached: the root file system by what its recipe says (made once, a minute or two), and the finished
/// stemcell by that and the agent. An interrupted build leaves nothing that a later one would take for finished.
public struct StemcellBuilder: Sendable {
  public struct Configuration: Sendable {
    /// Where root file systems and finished stemcells are kept between builds. Absolute.
    public var cache: String
    /// The agent executable that goes into the stemcell, with the shared libraries that it needs.
    public var agent: String
    /// A Debian mirror, for machines whose apt has none for Debian 12; nil takes apt's.
    public var mirror: String?

    public init(cache: String, agent: String, mirror: String? = nil) {
      self.cache = cache
      self.agent = agent
      self.mirror = mirror
    }
  }

  /// A finished stemcell.
  public struct Stemcell: Sendable, Hashable {
    /// The tarball.
    public var path: String
    public var name: String
    public var version: String
    public var operatingSystem: String
    /// Whether it came from the cache as it was.
    public var cached: Bool
  }

  public static let name = "drover-runc-debian-bookworm"
  public static let operatingSystem = "debian-bookworm"

  public let configuration: Configuration
  let surroundings: Surroundings
  let recipe = StemcellRecipe()

  public init(configuration: Configuration, surroundings: Surroundings = .system) {
    self.configuration = configuration
    self.surroundings = surroundings
  }

  /// Builds the stemcell, or finds it in the cache. Needs root when there is something to build.
  /// - Parameter progress: gets a line for people at every step.
  public func build(progress: @Sendable (String) -> Void = { _ in }) async throws -> Stemcell {
    try Files.makeFolder(configuration.cache)
    guard try Files.exists(configuration.agent) else {
      throw DroverError(.notFound, "building a stemcell: there is no agent executable \(configuration.agent)")
    }
    let agent = try await Command("sha256sum", configuration.agent).run().text.prefix { $0 != " " }
    let key = DigestHasher.hex(.sha256, "\(recipe.digest) \(agent)").prefix(20)
    if let stemcell = try finished(String(key)) { return stemcell }
    let lock = try await acquire("\(configuration.cache)/lock", progress)
    defer { lock.release() }
    if let stemcell = try finished(String(key)) { return stemcell }
    guard geteuid() == 0 else {
      throw DroverError(.forbidden, "building a stemcell needs root: debootstrap makes a system with its owners")
    }
    try await clearLeftovers()
    let base = try await rootFileSystem(progress)
    return try await assemble(String(key), base, progress)
  }

  private func acquire(_ path: String, _ progress: (String) -> Void) async throws -> LockFile {
    if let lock = try LockFile.tryAcquire(path) { return lock }
    progress("waiting for another build of a stemcell")
    while true {
      try await surroundings.sleep(.milliseconds(200))
      if let lock = try LockFile.tryAcquire(path) { return lock }
    }
  }

  private var listing: String { "\(configuration.cache)/stemcells.json" }

  /// The stemcell of that key, when it is complete: it is listed after its file is in place.
  private func finished(_ key: String) throws -> Stemcell? {
    let path = "\(configuration.cache)/stemcell-\(key).tgz"
    guard try Files.exists(path), try Files.exists(listing),
      let version = try JSON.parse(Files.read(listing))[key]?.string
    else { return nil }
    return Stemcell(
      path: path, name: Self.name, version: version, operatingSystem: Self.operatingSystem, cached: true)
  }

  private func clearLeftovers() async throws {
    for name in try Files.names(in: configuration.cache) where name.hasPrefix(".building-") {
      try await Command("rm", "-rf", "--one-file-system", "\(configuration.cache)/\(name)").run()
    }
  }

  /// Puts the agent's layer behind the root file system's and packs the stemcell.
  private func assemble(
    _ key: String, _ base: RootFileSystem, _ progress: (String) -> Void
  ) async throws -> Stemcell {
    progress("adding the agent")
    let version = Self.version(surroundings.now())
    let folder = "\(configuration.cache)/.building-\(surroundings.identifier())"
    try Files.makeFolder(folder)
    do {
      let layer = try await agentLayer(in: folder, version: version, base: base)
      let image = "\(folder)/image"
      try await Command("bash", "-c", "cat \"$1\" \"$2\" >\"$3\"", "bash", base.archive, layer, image).run()
      let digest = try await Command("sha1sum", image).run().text.prefix { $0 != " " }
      progress("packing the stemcell")
      let manifest = StemcellManifest(
        name: Self.name, version: version, apiVersion: 3, digest: try MultiDigest(String(digest)),
        operatingSystem: Self.operatingSystem, formats: ["drover-runc"],
        cloudProperties: [
          "name": .string(Self.name), "version": .string(version), "infrastructure": "drover", "architecture": "x86_64",
        ])
      let half = "\(folder)/stemcell.tgz"
      let writer = try ArchiveWriter(file: half, compression: .gzip(level: 1))
      let seconds = surroundings.now().seconds
      func entry(_ name: String, _ size: Int) -> ArchiveEntry {
        ArchiveEntry(path: name, kind: .file, size: size, mode: 0o644, modifiedAt: seconds)
      }
      let text = Array(manifest.text.utf8)
      try writer.add(entry("stemcell.MF", text.count), content: text)
      let packages = try Files.read(base.packages)
      try writer.add(entry("packages.txt", packages.count), content: packages)
      try writer.add(entry("image", try Files.size(image) ?? 0), contentOf: image)
      _ = try writer.finish()
      let path = "\(configuration.cache)/stemcell-\(key).tgz"
      try await Command("mv", "-T", half, path).run()
      try Files.replace(listing, with: JSON.bytes([key: .string(version)]), mode: 0o644)
      try await removeOthers(keeping: path)
    } catch {
      _ = try? await Command("rm", "-rf", "--one-file-system", folder).run()
      throw error
    }
    try await Command("rm", "-rf", "--one-file-system", folder).run()
    guard var stemcell = try finished(key) else {
      throw DroverError(.failed, "building a stemcell: \(configuration.cache) was changed by somebody else meanwhile")
    }
    stemcell.cached = false
    return stemcell
  }

  private func removeOthers(keeping path: String) async throws {
    for name in try Files.names(in: configuration.cache) where name.hasPrefix("stemcell-") && name.hasSuffix(".tgz") {
      let other = "\(configuration.cache)/\(name)"
      if other != path { try Files.remove(other) }
    }
  }

  /// The version of a stemcell that is built now: `1.YYYYMMDD.SECONDS`, so that a later one is newer, also when the
  /// cache was removed meanwhile.
  static func version(_ now: Timestamp) -> String {
    var seconds = time_t(now.seconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let date = (Int(parts.tm_year) + 1900) * 10000 + (Int(parts.tm_mon) + 1) * 100 + Int(parts.tm_mday)
    return "1.\(date).\(now.seconds % 86400)"
  }
}
