import Formats
import Manifests

/// A manifest as it is sent: with the variables that the caller gave. The others are the server's.
enum ManifestText {
  static func read(_ path: String, variables: [String]) throws -> String {
    let text = try TextFile.read(path)
    guard !variables.isEmpty else { return text }
    var values = ValueObject()
    for variable in variables {
      let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw DroverError(.invalid, "--var '\(variable)': expected NAME=VALUE")
      }
      values[parts[0]] = try YAML.parse(parts[1], file: "--var \(parts[0])")
    }
    return YAML.text(Interpolation.fillKnown(try YAML.parse(text, file: path)) { values[$0] })
  }
}
