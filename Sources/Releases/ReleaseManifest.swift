public import Digests
public import Formats

/// `release.MF`: what a release tarball says it holds (`reference/director.md E.1`).
public struct ReleaseManifest: Sendable, Hashable {
  /// A job and the digest of its archive.
  public struct Job: Sendable, Hashable {
    public var name: String
    public var fingerprint: String
    /// Of `jobs/NAME.tgz`.
    public var digest: MultiDigest
    /// Names of packages; newer command lines leave them to `job.MF`.
    public var packages: [String]

    public init(name: String, fingerprint: String, digest: MultiDigest, packages: [String]) {
      self.name = name
      self.fingerprint = fingerprint
      self.digest = digest
      self.packages = packages
    }
  }

  /// A source package and the digest of its archive.
  public struct Package: Sendable, Hashable {
    public var name: String
    public var fingerprint: String
    /// Of `packages/NAME.tgz`.
    public var digest: MultiDigest
    public var dependencies: [String]

    public init(name: String, fingerprint: String, digest: MultiDigest, dependencies: [String]) {
      self.name = name
      self.fingerprint = fingerprint
      self.digest = digest
      self.dependencies = dependencies
    }
  }

  /// A package that was compiled for a stemcell.
  public struct CompiledPackage: Sendable, Hashable {
    public var name: String
    public var fingerprint: String
    /// Of `compiled_packages/NAME.tgz`.
    public var digest: MultiDigest
    /// `os/version`.
    public var stemcell: String
    public var dependencies: [String]

    public init(name: String, fingerprint: String, digest: MultiDigest, stemcell: String, dependencies: [String]) {
      self.name = name
      self.fingerprint = fingerprint
      self.digest = digest
      self.stemcell = stemcell
      self.dependencies = dependencies
    }
  }

  /// `license.tgz`.
  public struct License: Sendable, Hashable {
    public var fingerprint: String
    public var digest: MultiDigest

    public init(fingerprint: String, digest: MultiDigest) {
      self.fingerprint = fingerprint
      self.digest = digest
    }
  }

  public var name: String
  /// As it was written; compare by ``Formats/SemiSemanticVersion``.
  public var version: String
  public var commitHash: String
  public var uncommittedChanges: Bool
  /// Whether the tarball around it is a plain tar archive.
  public var noCompression: Bool
  public var jobs: [Job]
  public var packages: [Package]
  public var compiledPackages: [CompiledPackage]
  public var license: License?

  public init(
    name: String, version: String, commitHash: String, uncommittedChanges: Bool, noCompression: Bool = false,
    jobs: [Job] = [], packages: [Package] = [], compiledPackages: [CompiledPackage] = [], license: License? = nil
  ) {
    self.name = name
    self.version = version
    self.commitHash = commitHash
    self.uncommittedChanges = uncommittedChanges
    self.noCompression = noCompression
    self.jobs = jobs
    self.packages = packages
    self.compiledPackages = compiledPackages
    self.license = license
  }

  /// Dependencies of every package, source and compiled, by name.
  public var packageGraph: PackageGraph {
    get throws {
      var dependencies: [(String, [String])] = packages.map { ($0.name, $0.dependencies) }
      let sources = Set(packages.map(\.name))
      dependencies += compiledPackages.filter { !sources.contains($0.name) }.map { ($0.name, $0.dependencies) }
      return try PackageGraph(dependencies)
    }
  }
}

extension ReleaseManifest {
  /// Reads a `release.MF` and checks that names are allowed, come once, and that dependencies are there and have no
  /// cycle.
  ///
  /// - Parameter file: What to call it in errors.
  /// - Throws: ``Formats/DroverError`` with code `invalid` that names the file and the field.
  public init(_ text: [UInt8], file: String = "release.MF") throws {
    let document = try YAML.parse(text, file: file)
    do {
      try self.init(document)
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
    }
  }

  public init(_ document: Value) throws {
    let fields = try FieldReader(document)
    name = try fields.scalarText("name")
    try NameRule("release name", extra: NameRule.artifact.extra).check(name)
    version = try fields.scalarText("version")
    try NameRule("release version", extra: NameRule.artifact.extra).check(version)
    _ = try SemiSemanticVersion(version)
    commitHash = try fields.optionalScalarText("commit_hash") ?? ""
    uncommittedChanges = try fields.optionalBool("uncommitted_changes") ?? false
    noCompression = try fields.optionalBool("no_compression") ?? false
    jobs = try fields.readers("jobs").map { job in
      let (name, fingerprint, digest) = try Self.identity(job, "job name")
      return Job(name: name, fingerprint: fingerprint, digest: digest, packages: try job.strings("packages"))
    }
    packages = try fields.readers("packages").map { package in
      let (name, fingerprint, digest) = try Self.identity(package, "package name")
      return Package(
        name: name, fingerprint: fingerprint, digest: digest, dependencies: try package.strings("dependencies"))
    }
    compiledPackages = try fields.readers("compiled_packages").map { package in
      let (name, fingerprint, digest) = try Self.identity(package, "package name")
      let stemcell = try package.string("stemcell")
      guard stemcell.split(separator: "/", omittingEmptySubsequences: false).count == 2 else {
        throw package.error("stemcell", "'\(stemcell)'; expected OS/VERSION")
      }
      return CompiledPackage(
        name: name, fingerprint: fingerprint, digest: digest, stemcell: stemcell,
        dependencies: try package.strings("dependencies"))
    }
    license = try fields.optionalReader("license").map { license in
      License(
        fingerprint: try license.optionalScalarText("fingerprint") ?? license.scalarText("version"),
        digest: try Self.digest(license))
    }
    try Self.checkUnique("jobs", jobs.map(\.name))
    try Self.checkUnique("packages", packages.map(\.name))
    try Self.checkUnique("compiled_packages", compiledPackages.map { "\($0.name) for \($0.stemcell)" })
    let graph = try packageGraph
    for job in jobs {
      for package in job.packages where !graph.names.contains(package) {
        throw DroverError(.invalid, "job '\(job.name)' needs package '\(package)', which is not in the release")
      }
    }
  }

  private static func identity(_ fields: FieldReader, _ what: String) throws -> (String, String, MultiDigest) {
    let name = try fields.scalarText("name")
    if let problem = NameRule.artifact.problem(with: name) {
      throw fields.error("name", "\(what) '\(name)' \(problem)")
    }
    // The oldest releases have only the version, which is the same.
    let version = try fields.optionalScalarText("version")
    guard let fingerprint = try fields.optionalScalarText("fingerprint") ?? version else {
      throw fields.error("fingerprint", "missing; expected a string")
    }
    if let problem = NameRule.artifact.problem(with: fingerprint) {
      throw fields.error("fingerprint", "'\(fingerprint)' \(problem)")
    }
    return (name, fingerprint, try digest(fields))
  }

  private static func digest(_ fields: FieldReader) throws -> MultiDigest {
    do {
      return try MultiDigest(fields.scalarText("sha1"))
    } catch let error as DroverError where !error.message.hasPrefix(fields.path) {
      throw fields.error("sha1", error.message)
    }
  }

  private static func checkUnique(_ what: String, _ names: [String]) throws {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw DroverError(.invalid, "\(what): '\(name)' is there twice")
    }
  }

  /// The document, members in the order in which the stock command line writes them.
  public var document: Value {
    var fields: ValueObject = [
      "name": .string(name), "version": .string(version), "commit_hash": .string(commitHash),
      "uncommitted_changes": .bool(uncommittedChanges),
    ]
    func identity(_ name: String, _ fingerprint: String, _ digest: MultiDigest) -> ValueObject {
      [
        "name": .string(name), "version": .string(fingerprint), "fingerprint": .string(fingerprint),
        "sha1": .string(digest.description),
      ]
    }
    if !jobs.isEmpty {
      fields["jobs"] = .array(
        jobs.map {
          .object(identity($0.name, $0.fingerprint, $0.digest).merging(["packages": Value($0.packages)]))
        })
    }
    if !packages.isEmpty {
      fields["packages"] = .array(
        packages.map {
          .object(identity($0.name, $0.fingerprint, $0.digest).merging(["dependencies": Value($0.dependencies)]))
        })
    }
    if !compiledPackages.isEmpty {
      fields["compiled_packages"] = .array(
        compiledPackages.map {
          .object(
            identity($0.name, $0.fingerprint, $0.digest).merging([
              "stemcell": .string($0.stemcell), "dependencies": Value($0.dependencies),
            ]))
        })
    }
    if let license {
      fields["license"] = [
        "version": .string(license.fingerprint), "fingerprint": .string(license.fingerprint),
        "sha1": .string(license.digest.description),
      ]
    }
    fields["no_compression"] = .bool(noCompression)
    return .object(fields)
  }

  /// `release.MF` as YAML.
  public var text: String { YAML.text(document) }
}
