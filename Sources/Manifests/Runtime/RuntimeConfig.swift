public import Formats

/// What is added to all deployments: the runtime configs of all names, put together (`reference/director.md B.5`).
public struct RuntimeConfig: Sendable, Hashable {
  public var releases: [ReleaseReference]
  public var addons: [Addon]
  public var variables: [VariableDefinition]
  public var tags: [String: String]

  /// One that adds nothing.
  public init() {
    releases = []
    addons = []
    variables = []
    tags = [:]
  }

  /// Reads the documents of all named runtime configs: lists are put one after the other, and only one may have tags.
  ///
  /// - Parameter whole: whether these are all there are, so that what addons name has to be in them.
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ documents: [Value], whole: Bool = true) throws {
    self.init()
    var tagged = 0
    for document in documents where !document.isNull {
      let reader = try FieldReader(document)
      for release in try reader.readers("releases") {
        let reference = try ReleaseReference(release)
        guard case .exact = reference.version else {
          throw DroverError(
            .invalid,
            "\(release.place("version")): runtime releases need a fixed version, found '\(reference.version)'",
            number: 530001)
        }
        if let other = releases.first(where: { $0.name == reference.name }), other.version != reference.version {
          throw DroverError(
            .invalid,
            "releases: runtime configs have '\(reference.name)' in versions \(other.version) and \(reference.version)",
            number: 530000)
        }
        if !releases.contains(reference) { releases.append(reference) }
      }
      addons += try reader.readers("addons").map { try Addon($0, inRuntimeConfig: true) }
      variables += try reader.readers("variables").map(VariableDefinition.init)
      if reader.value("tags") != nil {
        tagged += 1
        tags = try reader.texts("tags")
      }
    }
    guard tagged <= 1 else {
      throw DroverError(.invalid, "tags: found in \(tagged) runtime configs; only one may have them")
    }
    let reader = try FieldReader([:])
    try reader.requireUnique(addons.map(\.name), in: "addons")
    try reader.requireUnique(variables.map(\.name), in: "variables", number: 560000)
    guard whole else { return }
    let known = Set(releases.map(\.name))
    for addon in addons {
      for job in addon.jobs {
        guard let release = job.release, !known.contains(release) else { continue }
        throw DroverError(
          .invalid,
          "addons: job '\(job.name)' of addon '\(addon.name)' is of release '\(release)', which is not listed in "
            + "'releases'", number: 530002)
      }
    }
  }
}
