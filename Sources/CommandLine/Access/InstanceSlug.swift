import Formats

/// `GROUP`, `GROUP/ID` or nothing: which instances a command is about. The id is an index or a UUID.
struct InstanceSlug: Sendable, Hashable, CustomStringConvertible {
  var group: String?
  var id: String?

  /// - Throws: for anything else than one or two parts.
  init(_ text: String?) throws {
    guard let text, !text.isEmpty else { return }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(parts.count), !parts.contains("") else {
      throw DroverError(.invalid, "'\(text)': expected GROUP or GROUP/ID, the id an index or a UUID")
    }
    group = parts[0] == "*" ? nil : parts[0]
    id = parts.count == 2 && parts[1] != "*" ? parts[1] : nil
  }

  /// The `target` of a request for ssh.
  var target: Value {
    let ids = Value.array(id.map { [.string($0)] } ?? [])
    var target: ValueObject = ["ids": ids, "indexes": ids]
    if let group { target["job"] = .string(group) }
    return .object(target)
  }

  /// `GROUP/ID` in a path, with `*` for all.
  var path: String { "\(group.map(PathText.escape) ?? "*")/\(id.map(PathText.escape) ?? "*")" }

  var description: String { id.map { "\(group ?? "*")/\($0)" } ?? group ?? "all instances" }
}
