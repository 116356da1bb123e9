import Certificates
import Formats
import Manifests

extension Variables.Wish {
  /// The definitions, each behind its authority and what its options name.
  func ordered() throws -> [VariableDefinition] {
    let byName = Dictionary(definitions.map { (scope.full($0.name), $0) }, uniquingKeysWith: { first, _ in first })
    var done: Set<String> = []
    var ordered: [VariableDefinition] = []
    func visit(_ definition: VariableDefinition, _ path: [String]) throws {
      let name = scope.full(definition.name)
      guard !path.contains(name) else {
        throw DroverError(
          .invalid, "variables: they need each other in a circle: \((path + [name]).joined(separator: " → "))")
      }
      guard done.insert(name).inserted else { return }
      for other in definition.needs.compactMap({ byName[scope.full($0)] }) {
        try visit(other, path + [name])
      }
      ordered.append(definition)
    }
    for definition in definitions { try visit(definition, []) }
    return ordered
  }
}

extension VariableDefinition {
  /// Names of other variables that a value is made from.
  var needs: [String] {
    [SecretMaker.authority(type: type, options: options)].compactMap { $0 } + Interpolation.names(in: options)
  }

  /// What tells an authority from others; nil for one that cannot sign.
  static func signer(_ authority: Value) -> String? {
    authority["private_key"] == nil ? nil : authority["certificate"].map { digest(of: $0) }
  }

  func refuseUnsupported() throws {
    if !consumes.isEmpty {
      throw DroverError(
        .unsupported,
        "variable '\(name)': consumes: names of certificates from links are not there yet; give them in "
          + "options.common_name and options.alternative_names")
    }
    if updateStrategy == .onStemcellChange {
      throw DroverError(
        .unsupported, "variable '\(name)': update.strategy: on-stemcell-change is not there yet; leave it out")
    }
  }

  /// Of type and options, as they are compared.
  func fingerprint(_ options: Value) -> String { digest(of: ["type": .string(type), "options": options]) }

  /// Whether a new value is to be made although there is one.
  ///
  /// - Parameter signer: the authority that is to sign it.
  func wantsNew(_ known: VariableRecord, _ options: Value, signer: String?, converges: Bool) -> Bool {
    if known.isStale == true { return true }
    // What somebody has set stays.
    guard let definition = known.definition else { return false }
    // A certificate goes with its authority.
    if known.authority != nil, signer != nil, known.authority != signer { return true }
    if updateMode == .overwrite { return true }
    return updateMode ?? (converges ? .converge : .noOverwrite) == .converge && definition != fingerprint(options)
  }
}
