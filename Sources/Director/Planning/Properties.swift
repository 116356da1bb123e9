import Formats

/// Properties as the manifest gives them.
enum Properties {
  /// The members of `over` laid over those of `base`, objects inside too.
  static func merge(_ base: ValueObject, _ over: ValueObject) -> ValueObject {
    var merged = base
    for (name, value) in over {
      if case .object(let inner) = value, case .object(let below) = merged[name] {
        merged[name] = .object(merge(below, inner))
      } else {
        merged[name] = value
      }
    }
    return merged
  }
}
