internal import Formats
internal import Processes

/// What git knows about a release folder.
struct GitState {
  /// The short hash of the commit; `non-git` outside of a repository, `empty` before the first commit.
  let commitHash: String
  /// Whether something in the folder is not committed.
  let isDirty: Bool

  /// - Parameter force: Whether uncommitted changes are allowed.
  /// - Throws: ``DroverError`` with code `conflict` when they are not, with their list.
  init(of folder: String, force: Bool) async throws {
    func git(_ arguments: String...) async throws -> CommandResult {
      var command = Command(["git"] + arguments)
      command.directory = folder
      return try await command.result()
    }
    guard let inside = try? await git("rev-parse", "--is-inside-work-tree"), inside.succeeded else {
      commitHash = "non-git"
      isDirty = false
      return
    }
    let status = try await git("status", "--porcelain=1", "--", ".")
    guard status.succeeded else {
      throw DroverError(.failed, "git status in \(folder) failed: \(status.lastErrorLines())")
    }
    let changes = status.text.split(separator: "\n")
    isDirty = !changes.isEmpty
    if isDirty, !force {
      throw DroverError(
        .conflict,
        "the release folder \(folder) has changes that are not committed; commit them, or use --force:\n"
          + changes.joined(separator: "\n"))
    }
    let head = try await git("rev-parse", "--short", "HEAD")
    commitHash = head.succeeded ? String(head.text.filter { !$0.isWhitespace }) : "empty"
  }
}
