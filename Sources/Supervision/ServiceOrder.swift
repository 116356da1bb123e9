import Formats

/// What follows from `depends on`.
enum ServiceOrder {
  /// The services that name this one as a dependency.
  static func dependents(of name: String, in services: [ServiceDefinition]) -> [String] {
    services.filter { $0.dependencies.contains(name) }.map(\.name)
  }

  /// - Throws: when two services have the same name, a dependency does not exist, or dependencies go in a circle.
  static func check(_ services: [ServiceDefinition]) throws {
    if let first = usable(services).mistakes.first { throw first }
  }

  /// The services that can be supervised, and what is wrong with the others: a name that is taken, a dependency that does
  /// not exist or cannot be supervised itself, dependencies that go in a circle.
  static func usable(_ services: [ServiceDefinition]) -> (services: [ServiceDefinition], mistakes: [DroverError]) {
    var left: [ServiceDefinition] = []
    var places: [String: String] = [:]
    var mistakes: [DroverError] = []
    for service in services {
      if let other = places[service.name] {
        mistakes.append(
          DroverError(.invalid, "\(service.place): service '\(service.name)' is already defined in \(other)"))
      } else {
        places[service.name] = service.place
        left.append(service)
      }
    }
    while true {
      let names = Set(left.map(\.name))
      var refused: [String: DroverError] = [:]
      for service in left {
        guard let missing = service.dependencies.first(where: { !names.contains($0) }) else { continue }
        let reason = places[missing] == nil ? "is not defined" : "cannot be supervised"
        refused[service.name] = DroverError(
          .invalid, "\(service.place): service '\(service.name)' depends on '\(missing)', which \(reason)")
      }
      if refused.isEmpty, let circle = circle(in: left) {
        for service in left where circle.contains(service.name) {
          refused[service.name] = DroverError(
            .invalid,
            "\(service.place): services depend on each other in a circle: "
              + (circle + circle.prefix(1)).joined(separator: " → "))
        }
      }
      if refused.isEmpty { return (left, mistakes) }
      mistakes += left.compactMap { refused[$0.name] }
      left.removeAll { refused[$0.name] != nil }
    }
  }

  /// The names of the first services that depend on each other in a circle; nil when there is none. All dependencies exist.
  private static func circle(in services: [ServiceDefinition]) -> [String]? {
    let dependencies = Dictionary(
      services.map { ($0.name, $0.dependencies) }, uniquingKeysWith: { first, _ in first })
    var done: Set<String> = []
    func visit(_ name: String, _ path: [String]) -> [String]? {
      if done.contains(name) { return nil }
      if let start = path.firstIndex(of: name) { return Array(path[start...]) }
      for next in dependencies[name] ?? [] {
        if let found = visit(next, path + [name]) { return found }
      }
      done.insert(name)
      return nil
    }
    for service in services {
      if let found = visit(service.name, []) { return found }
    }
    return nil
  }
}
