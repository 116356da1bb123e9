/// The shared libraries of an executable.
enum SharedLibraries {
  /// The files that an executable loads and a root file system has not.
  /// - Parameters:
  ///   - ldd: the answer of `ldd EXECUTABLE`.
  ///   - present: base names of the shared libraries that the root file system has.
  /// - Throws: ``CloudError`` when one is not on this machine either.
  static func missing(ldd: String, present: Set<String>) throws -> [String] {
    try ldd.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: " ").map { $0.filter { !$0.isWhitespace } }
      guard parts.count >= 3, parts[1] == "=>" else { return nil }
      if present.contains(parts[0]) { return nil }
      guard parts[2].hasPrefix("/") else {
        throw CloudError(.cloudError, "collecting the agent's shared libraries: \(parts[0]) is not on this machine")
      }
      return parts[2]
    }
  }
}
