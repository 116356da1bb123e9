import ArgumentParser
import Formats
import ReleaseFiles
import Releases

/// A tarball that is looked into before it is sent.
enum UploadedFile {
  static func read<Manifest>(_ path: String, _ kind: String, _ body: (String) throws -> Manifest) throws -> Manifest {
    guard !path.contains("://") else {
      throw DroverError(
        .unsupported, "uploading the \(kind) \(path): addresses are not fetched yet; fetch it and give the file")
    }
    do {
      return try body(absolutePath(path))
    } catch let error as DroverError where error.code != .notFound {
      throw DroverError(error.code, "reading it as a \(kind) tarball", cause: error)
    }
  }
}

struct UploadRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upload-release", abstract: "Upload a release tarball.",
    discussion: "A release that is there already is not uploaded again, unless --fix is given.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The tarball.") var path: String
  @Flag(help: "Upload it again and store every archive anew.") var fix = false
  @Flag(help: "Record it as the next dev version.") var rebase = false

  func run() async throws {
    let manifest = try UploadedFile.read(path, "release") { try ReleaseTarball.manifest(of: $0) }
    try await options.withClient { client in
      if !fix, !rebase {
        let known = try await client.get("/releases").array ?? []
        let versions = known.first { $0["name"]?.string == manifest.name }?["release_versions"]?.array ?? []
        if versions.contains(where: { $0["version"]?.string == manifest.version }) {
          Console.remark("Release '\(manifest.name)/\(manifest.version)' already exists.")
          return
        }
      }
      let query = [fix ? "fix=true" : nil, rebase ? "rebase=true" : nil].compactMap { $0 }.joined(separator: "&")
      let task = try await client.start(
        .post, "/releases?\(query)", .file(absolutePath(path), type: "application/x-compressed"))
      _ = try await TaskFollower(client: client, task: task).printEvents()
    }
  }
}

struct Releases: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "releases", abstract: "List the releases.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      let rows = (try await client.get("/releases").array ?? []).flatMap { release -> [[String]] in
        (release["release_versions"]?.array ?? []).map { version -> [String] in
          let isDeployed = version["currently_deployed"]?.bool == true
          let isDirty = version["uncommitted_changes"]?.bool == true
          let number = version["version"]?.string ?? ""
          let commit = version["commit_hash"]?.string ?? ""
          return [release["name"]?.string ?? "", number + (isDeployed ? "*" : ""), commit + (isDirty ? "+" : "")]
        }
      }
      Table("releases", ["Name", "Version", "Commit Hash"], rows).print(json: options.json)
    }
  }
}

struct InspectRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect-release", abstract: "Show what an uploaded release holds: jobs, errands and packages.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "NAME/VERSION.") var release: String

  func run() async throws {
    let parts = release.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw ValidationError("expected NAME/VERSION, found '\(release)'") }
    try await options.withClient { client in
      let contents = try await client.get(
        "/releases/\(PathText.escape(parts[0]))?version=\(PathText.escape(parts[1]))")
      func rows(_ key: String, _ kind: (Value) -> String) -> [[String]] {
        (contents[key]?.array ?? []).map { item in
          [
            kind(item), item["name"]?.string ?? "", item["fingerprint"]?.string ?? "",
            item["blobstore_id"]?.string ?? "", item["sha1"]?.string ?? "",
          ]
        }
      }
      let all = rows("jobs") { $0["kind"]?.string ?? "job" } + rows("packages") { _ in "package" }
      Table("contents", ["Kind", "Name", "Fingerprint", "Blobstore ID", "Digest"], all).print(json: options.json)
    }
  }
}

struct DeleteRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete-release", abstract: "Delete a release, or one version of it.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "NAME or NAME/VERSION.") var release: String

  func run() async throws {
    let parts = release.split(separator: "/", maxSplits: 1).map(String.init)
    try await options.withClient { client in
      let query = parts.count == 2 ? "?version=\(PathText.escape(parts[1]))" : ""
      let task = try await client.start(.delete, "/releases/\(PathText.escape(parts[0]))\(query)")
      _ = try await TaskFollower(client: client, task: task).printEvents()
    }
  }
}

struct UploadStemcell: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upload-stemcell", abstract: "Upload a stemcell tarball.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "The tarball.") var path: String
  @Flag(help: "Upload it although it is there.") var fix = false

  func run() async throws {
    let manifest = try UploadedFile.read(path, "stemcell") { try StemcellTarball.manifest(of: $0) }
    try await options.withClient { client in
      if !fix {
        let stemcell: Value = ["name": .string(manifest.name), "version": .string(manifest.version)]
        let answer = try await client.expect(.post, "/stemcell_uploads", .json(["stemcell": stemcell]))
        guard try answer.value()["needed"]?.bool == true else {
          Console.remark("Stemcell '\(manifest.name)/\(manifest.version)' already exists.")
          return
        }
      }
      let task = try await client.start(
        .post, "/stemcells?\(fix ? "fix=true" : "")", .file(absolutePath(path), type: "application/x-compressed"))
      _ = try await TaskFollower(client: client, task: task).printEvents()
    }
  }
}

struct Stemcells: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "stemcells", abstract: "List the stemcells.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      let rows = (try await client.get("/stemcells").array ?? []).map { stemcell in
        [
          stemcell["name"]?.string ?? "",
          (stemcell["version"]?.string ?? "") + (stemcell["deployments"]?.array?.isEmpty == false ? "*" : ""),
          stemcell["operating_system"]?.string ?? "", stemcell["cid"]?.string ?? "",
        ]
      }
      Table("stemcells", ["Name", "Version", "OS", "CID"], rows).print(json: options.json)
    }
  }
}

struct DeleteStemcell: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "delete-stemcell", abstract: "Delete a stemcell.")
  @OptionGroup var options: GlobalOptions
  @Argument(help: "NAME/VERSION.") var stemcell: String

  func run() async throws {
    let parts = stemcell.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { throw ValidationError("expected NAME/VERSION, found '\(stemcell)'") }
    try await options.withClient { client in
      let task = try await client.start(
        .delete, "/stemcells/\(PathText.escape(parts[0]))/\(PathText.escape(parts[1]))?")
      _ = try await TaskFollower(client: client, task: task).printEvents()
    }
  }
}
