import Files
internal import Formats

/// The whole of `drover lint`: reads a release, runs ShellCheck on it, and looks at it by all rules.
public enum ReleaseLint {
  public static let excuseFile = ".drover-lint.yml"

  /// - Parameters:
  ///   - path: Absolute path of a release folder or tarball.
  ///   - excuses: Absolute path of a file of excuses; nil is the release folder's own, if there is one.
  ///   - searchPath: Where ShellCheck is looked for, as in `PATH`.
  /// - Throws: ``Formats/DroverError`` when it is no release, or the file of excuses has a mistake.
  public static func report(_ path: String, excuses: String? = nil, searchPath: String) async throws -> LintReport {
    let scratch = try Files.makeTemporaryFolder("drover-lint")
    defer { try? Files.remove(scratch) }
    let release = try ReleaseReader.read(path, scratch: scratch)
    let file = excuses ?? "\(path)/\(excuseFile)"
    var known: [LintExcuse] = []
    if try excuses != nil || Files.exists(file) {
      known = try LintExcuse.file(try Files.read(file), name: excuses ?? excuseFile)
    }
    let shellCheck = try await ShellCheck.run(release, scratch: scratch, path: searchPath)
    return Linter(excuses: known).report(release, shellCheck: shellCheck)
  }
}
