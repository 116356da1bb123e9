import AgentProtocol
import Files
import Formats

/// The applied spec, kept in spec.json (reference/agent.md 9). It may hold signed URLs and properties, so it is 0600.
actor SpecStore {
  private let path: String
  private var cached: ApplySpec?

  init(path: String) { self.path = path }

  /// An empty spec when nothing was applied yet.
  func current() throws -> ApplySpec {
    if let cached { return cached }
    let spec = try Files.bytes(path).map { try ApplySpec(JSON.parse($0)) } ?? ApplySpec()
    cached = spec
    return spec
  }

  func keep(_ spec: ApplySpec) throws {
    try Files.replace(path, with: JSON.bytes(spec.value), mode: 0o600)
    cached = spec
  }
}
