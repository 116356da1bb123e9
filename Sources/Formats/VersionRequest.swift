/// What a manifest may say where a version is wanted: `latest`, the newest of a line such as `1.latest` or `1.2.latest`,
/// or an exact version.
public enum VersionRequest: Sendable, Hashable, CustomStringConvertible {
  case latest
  /// The newest of those that begin with these parts: `1.2.latest` is `["1", "2"]`.
  case latestOf([String])
  case exact(String)

  public init(_ text: String) {
    if text == "latest" {
      self = .latest
    } else if text.hasSuffix(".latest") {
      self = .latestOf(text.dropLast(".latest".count).split(separator: ".").map(String.init))
    } else {
      self = .exact(text)
    }
  }

  public var description: String {
    switch self {
    case .latest: "latest"
    case .latestOf(let parts): (parts + ["latest"]).joined(separator: ".")
    case .exact(let text): text
    }
  }

  /// The newest of these versions that was asked for; nil when there is none. Texts that are no versions are matched only
  /// exactly, and come before all others.
  public func choose(from versions: some Sequence<String>) -> String? {
    let candidates = versions.filter { text in
      switch self {
      case .latest: return true
      case .latestOf(let parts):
        let found = (try? SemiSemanticVersion(text))?.release.parts ?? []
        return found.starts(with: parts)
      case .exact(let wanted):
        if text == wanted { return true }
        guard let left = try? SemiSemanticVersion(text), let right = try? SemiSemanticVersion(wanted) else {
          return false
        }
        return left == right
      }
    }
    if case .exact(let wanted) = self, candidates.contains(wanted) { return wanted }
    return candidates.max { left, right in
      switch (try? SemiSemanticVersion(left), try? SemiSemanticVersion(right)) {
      case (.some(let left), .some(let right)): left < right
      case (nil, .some): true
      case (.some, nil): false
      case (nil, nil): left < right
      }
    }
  }
}
