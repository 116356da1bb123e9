import ArgumentParser
import Formats
import Manifests

struct TranslateManifest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "translate-manifest", abstract: "Write a manifest of version 1 in its present form.",
    discussion: """
      Prints the manifest, or with --cloud-config what of it belongs into the cloud config. The same is understood when \
      the manifest is deployed as it is. Needs no server.
      """)
  @OptionGroup var variables: VariableOptions
  @Flag(help: "Print the cloud config instead of the manifest.") var cloudConfig = false
  @Flag(help: "Print JSON: manifest, cloud_config, warnings.") var json = false
  @Argument(help: "The manifest, or - for standard input.") var path: String

  func run() async throws {
    let text = try ManifestText.read(path, variables: variables.values)
    let form: ManifestForm
    do { form = try ManifestForm(YAML.parse(text, file: path)) } catch let error as DroverError {
      throw DroverError(error.code, "translating \(path): \(error.message)", number: error.number)
    }
    if json {
      return Console.printJSON([
        "manifest": form.manifest, "cloud_config": form.cloudConfig ?? .null, "warnings": Value(form.warnings),
      ])
    }
    for warning in form.warnings { Console.remark("\(path): \(warning)") }
    guard cloudConfig else { return Console.write(Array(YAML.text(form.manifest).utf8), to: 1) }
    guard let config = form.cloudConfig else {
      throw DroverError(.notFound, "\(path): there is nothing in it that belongs into the cloud config")
    }
    Console.write(Array(YAML.text(config).utf8), to: 1)
  }
}
