import ArgumentParser
import Formats
import ReleaseFiles
import Releases

struct UploadRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upload-release", abstract: "Upload a release tarball, or have the server fetch one.",
    discussion: """
      A release that is there already is not uploaded again, unless --fix is given. What an address leads to is only known \
      after it was fetched, unless --name and --version say it.
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The tarball, or an address http[s]://… that the server fetches it from.") var path: String
  @Option(help: "What the tarball has to hash to: SHA-1 in hex, sha256:HEX or sha512:HEX.") var sha1: String?
  @Option(help: "The name of the release at an address.") var name: String?
  @Option(help: "The version of the release at an address.") var version: String?
  @Flag(help: "Upload it again and store every archive anew.") var fix = false
  @Flag(help: "Record it as the next dev version.") var rebase = false

  func run() async throws {
    let release = WantedRelease(
      source: try ArtifactSource(path), name: name, version: version, digest: sha1, fix: fix, rebase: rebase)
    try await options.withClient { try await release.upload(to: $0) }
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
    commandName: "upload-stemcell", abstract: "Upload a stemcell tarball, or have the server fetch one.",
    discussion: """
      A stemcell that is there already is not uploaded again, unless --fix is given. What an address leads to is only known \
      after it was fetched, unless --name and --version say it.
      """)
  @OptionGroup var options: GlobalOptions
  @Argument(help: "The tarball, or an address http[s]://… that the server fetches it from.") var path: String
  @Option(help: "What the tarball at an address has to hash to: SHA-1 in hex, sha256:HEX or sha512:HEX.")
  var sha1: String?
  @Option(help: "The name of the stemcell at an address.") var name: String?
  @Option(help: "The version of the stemcell at an address.") var version: String?
  @Flag(help: "Upload it although it is there.") var fix = false

  func run() async throws {
    let source = try ArtifactSource(path)
    let manifest = try source.manifest("stemcell") { try StemcellTarball.manifest(of: $0) }
    let stemcell: Value = [
      "name": .string(manifest?.name ?? name ?? ""), "version": .string(manifest?.version ?? version ?? ""),
    ]
    try await options.withClient { client in
      if !fix {
        let answer = try await client.expect(.post, "/stemcell_uploads", .json(["stemcell": stemcell]))
        guard try answer.value()["needed"]?.bool == true else {
          Console.remark(
            "Stemcell '\(stemcell["name"]?.string ?? "")/\(stemcell["version"]?.string ?? "")' already exists.")
          return
        }
      }
      let task = try await client.start(.post, "/stemcells?\(fix ? "fix=true" : "")", source.body(digest: sha1))
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
