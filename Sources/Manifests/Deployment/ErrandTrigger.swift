import Formats

/// When the director runs an errand by itself, as part of other work on the deployment.
public enum ErrandTrigger: String, Sendable, Hashable, Codable, CaseIterable {
  /// After a deploy that changed something.
  case postDeploy = "post-deploy"
  /// Before anything of the deployment is deleted.
  case preDelete = "pre-delete"
  /// After VMs of instances were made anew.
  case postRecreate = "post-recreate"

  /// Reads `on`: one point or several.
  static func read(_ reader: FieldReader, _ field: String) throws -> [ErrandTrigger] {
    let words = try reader.value(field)?.scalarText.map { [$0] } ?? reader.strings(field)
    var triggers: [ErrandTrigger] = []
    for word in words {
      guard let trigger = ErrandTrigger(rawValue: word) else {
        let all = allCases.map(\.rawValue)
        throw reader.error(
          field, "unknown point '\(word)'; allowed: \(all.joined(separator: ", "))" + NearNames.hint(word, among: all))
      }
      if !triggers.contains(trigger) { triggers.append(trigger) }
    }
    return triggers
  }
}
