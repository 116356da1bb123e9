internal import Formats

/// What git knows about a release folder.
struct GitState {
  /// The short hash of the commit; `non-git` outside of a repository, `empty` before the first commit.
  let commitHash: String
  /// Whether something in the folder is not committed.
  let isDirty: Bool

  /// - Parameter force: Whether uncommitted changes are allowed.
  /// - Throws: ``DroverError`` with code `conflict` when they are not, with their list.
  init(of folder: String, force: Bool) async throws {
    guard let inside = try? await Command.run("git", ["rev-parse", "--is-inside-work-tree"], in: folder),
      inside.status == 0
    else {
      commitHash = "non-git"
      isDirty = false
      return
    }
    let status = try await Command.run("git", ["status", "--porcelain=1", "--", "."], in: folder)
    guard status.status == 0 else { throw DroverError(.failed, "git status in \(folder) failed: \(status.errors)") }
    let changes = status.output.split(separator: "\n")
    isDirty = !changes.isEmpty
    if isDirty, !force {
      throw DroverError(
        .conflict,
        "the release folder \(folder) has changes that are not committed; commit them, or use --force:\n"
          + changes.joined(separator: "\n"))
    }
    let head = try await Command.run("git", ["rev-parse", "--short", "HEAD"], in: folder)
    commitHash = head.status == 0 ? String(head.output.filter { !$0.isWhitespace }) : "empty"
  }
}
