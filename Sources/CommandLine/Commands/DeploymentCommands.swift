import ArgumentParser
import Formats

struct Deploy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deploy", abstract: "Deploy a manifest.",
    discussion: """
      Releases of the manifest that have a 'url' and are not there are uploaded, or fetched by the server. Prints what would \
      change and asks, then makes the deployment what the manifest says.
      """)
  @OptionGroup var options: GlobalOptions
  @OptionGroup var variables: VariableOptions
  @Flag(help: "Make all VMs anew.") var recreate = false
  @Flag(help: "Make VMs anew whose agents don't answer.") var fix = false
  @Flag(help: "Print the plan and do nothing.") var dryRun = false
  @Flag(help: "Upload the releases that have a 'url' although they are there.") var fixReleases = false
  @Flag(help: "Upload no releases.") var skipUploadReleases = false
  @Option(help: "Instances that are not drained: * or GROUP/ID,…") var skipDrain: String?
  @Option(help: "Instances that are updated first: a number or N%.") var canaries: String?
  @Option(help: "Instances that are updated at once: a number or N%.") var maxInFlight: String?
  @Argument(help: "The manifest, or - for standard input.") var path: String

  func run() async throws {
    let text = try ManifestText.read(path, variables: variables.values)
    let manifest = try YAML.parse(text, file: path)
    guard let name = manifest["name"]?.string else {
      throw DroverError(.invalid, "\(path): name: missing; expected the deployment's name")
    }
    if let expected = options.deployment, expected != name {
      throw DroverError(.invalid, "\(path): name: expected '\(expected)', as --deployment says, found '\(name)'")
    }
    let releases = skipUploadReleases ? [] : try WantedRelease.of(manifest, fix: fixReleases)
    try await options.withClient { client in
      for release in releases { try await release.upload(to: client) }
      let difference = try await client.expect(
        .post, "/deployments/\(PathText.escape(name))/diff?redact=true", .yaml(text)
      ).value()
      DifferencePrinter.print(difference["diff"]?.array ?? [])
      if !options.nonInteractive, !dryRun { try Console.confirm("Continue?") }
      let task = try await client.start(.post, "/deployments?\(query(difference["context"]))", .yaml(text))
      let follower = TaskFollower(client: client, task: task)
      _ = try await follower.printEvents()
      if dryRun {
        Console.write(try await client.expect(.get, "/tasks/\(task)/output?type=result").bytes, to: 1)
        Console.print("")
      }
    }
  }

  private func query(_ context: Value?) -> String {
    var parameters: [(String, String)] = []
    if let context { parameters.append(("context", JSON.text(context))) }
    for (name, flag) in [("recreate", recreate), ("fix", fix), ("dry_run", dryRun)] where flag {
      parameters.append((name, "true"))
    }
    for (name, value) in [("skip_drain", skipDrain), ("canaries", canaries), ("max_in_flight", maxInFlight)] {
      if let value { parameters.append((name, value)) }
    }
    return parameters.map { "\($0)=\(PathText.escape($1))" }.joined(separator: "&")
  }
}

struct Deployments: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "deployments", abstract: "List the deployments.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      func names(_ value: Value?) -> String {
        (value?.array ?? []).map { "\($0["name"]?.string ?? "")/\($0["version"]?.string ?? "")" }
          .joined(separator: ", ")
      }
      let rows = (try await client.get("/deployments").array ?? []).map { deployment in
        [deployment["name"]?.string ?? "", names(deployment["releases"]), names(deployment["stemcells"])]
      }
      Table("deployments", ["Name", "Release(s)", "Stemcell(s)"], rows).print(json: options.json)
    }
  }
}

struct Manifest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest", abstract: "Print the manifest that was deployed last.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let name = try options.requireDeployment()
    try await options.withClient { client in
      let manifest = try await client.get("/deployments/\(PathText.escape(name))")["manifest"]?.string
      try Console.printYAML(manifest ?? "", json: options.json)
    }
  }
}

struct DeleteDeployment: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete-deployment", abstract: "Stop and delete all of a deployment's instances.")
  @OptionGroup var options: GlobalOptions
  @Flag(help: "Go on when an agent does not answer or a script fails.") var force = false

  func run() async throws {
    let name = try options.requireDeployment()
    if !options.nonInteractive { try Console.confirm("Delete deployment '\(name)'?") }
    try await options.withClient { client in
      let path = "/deployments/\(PathText.escape(name))?\(force ? "force=true" : "")"
      let task = try await client.start(.delete, path)
      _ = try await TaskFollower(client: client, task: task).printEvents()
    }
  }
}
