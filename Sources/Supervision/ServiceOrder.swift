import Formats

/// What follows from `depends on`.
enum ServiceOrder {
  /// The services that name this one as a dependency.
  static func dependents(of name: String, in services: [ServiceDefinition]) -> [String] {
    services.filter { $0.dependencies.contains(name) }.map(\.name)
  }

  /// - Throws: when two services have the same name, a dependency does not exist, or dependencies go in a circle.
  static func check(_ services: [ServiceDefinition]) throws {
    var byName: [String: ServiceDefinition] = [:]
    for service in services {
      if let other = byName[service.name] {
        throw DroverError(
          .invalid, "\(service.place): service '\(service.name)' is already defined in \(other.place)")
      }
      byName[service.name] = service
    }
    var done: Set<String> = []
    func visit(_ service: ServiceDefinition, _ path: [String]) throws {
      if done.contains(service.name) { return }
      if path.contains(service.name) {
        throw DroverError(
          .invalid,
          "\(service.place): services depend on each other in a circle: \((path + [service.name]).joined(separator: " → "))"
        )
      }
      for name in service.dependencies {
        guard let next = byName[name] else {
          throw DroverError(
            .invalid, "\(service.place): service '\(service.name)' depends on '\(name)', which is not defined")
        }
        try visit(next, path + [service.name])
      }
      done.insert(service.name)
    }
    for service in services { try visit(service, []) }
  }
}
