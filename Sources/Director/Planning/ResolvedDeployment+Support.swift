import Formats
import Manifests

extension ResolvedDeployment {
  /// Refuses what can be planned, but not be carried out yet.
  ///
  /// - Throws: ``DroverError`` with code `unsupported`, before anything is written down or made.
  func refuseDynamicNetworks() throws {
    let advice = "whose addresses only the cloud knows; that is not there yet, use a network of type manual"
    for group in groups {
      for (name, settings) in group.instances.flatMap(\.networks) where settings["type"] == "dynamic" {
        throw DroverError(
          .unsupported, "Instance group '\(group.name)': network '\(name)' is of type dynamic, \(advice)")
      }
    }
    if case .dynamic = compilation.network.kind {
      throw DroverError(
        .unsupported, "compilation.network: '\(compilation.network.name)' is of type dynamic, \(advice)")
    }
  }
}
