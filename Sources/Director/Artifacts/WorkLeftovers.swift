import Files

/// What a server that was killed has left in the work folder: archives that it was making, and uploads that nobody waits for.
enum WorkLeftovers {
  /// Those of the names that no task needs: a task that goes on needs its upload, `upload-17.tgz`, and makes the rest anew.
  static func among(_ names: [String], unfinished: Set<Int>) -> [String] {
    names.filter { name in
      guard name.hasPrefix("upload-") else { return true }
      return !(Int(name.dropFirst("upload-".count).prefix { $0.isNumber }).map(unfinished.contains) ?? false)
    }
  }
}

extension Director {
  /// Empties the work folder of what no task needs. To be called before anything is received, by the only server that
  /// uses the folder.
  public func removeLeftovers() async throws {
    let unfinished = Set(try await tasks.tasks { !$0.state.isFinal }.map(\.id))
    let folder = engines.workDirectory
    for name in WorkLeftovers.among(try Files.names(in: folder), unfinished: unfinished) {
      try Files.remove("\(folder)/\(name)")
    }
  }
}
