public import Formats

/// Instances that somebody wants to look at: the `target` of `ssh`, or the path of `logs` (reference/director.md A.7).
public struct AccessTarget: Codable, Sendable, Hashable, CustomStringConvertible {
  /// Nil for all groups.
  public var group: String?
  /// UUIDs or indexes; none for all of the group.
  public var ids: [String]

  public init(group: String? = nil, ids: [String] = []) {
    self.group = group
    self.ids = ids
  }

  /// Reads the `target` of a request. Names in `ids` and in `indexes` mean the same.
  public init(_ fields: FieldReader) throws {
    group = try fields.optionalString("job").flatMap { $0.isEmpty || $0 == "*" ? nil : $0 }
    let names = try ["ids", "indexes"].flatMap { try fields.optionalArray($0) ?? [] }
    ids = names.compactMap(\.scalarText).filter { !$0.isEmpty && $0 != "*" }
  }

  public func matches(_ record: InstanceRecord) -> Bool {
    (group ?? record.group) == record.group
      && (ids.isEmpty || ids.contains(record.id) || ids.contains(String(record.index)))
  }

  public var description: String {
    let name = group ?? "*"
    return ids.isEmpty ? name : Set(ids).sorted().map { "\(name)/\($0)" }.joined(separator: ", ")
  }
}

extension Director {
  /// The instances of a deployment that are meant and have a VM.
  ///
  /// - Throws: ``DirectorFailure`` when there is no such group or instance, or none of them has a VM.
  func machines(_ target: AccessTarget, of deployment: String) async throws -> [InstanceRecord] {
    let all = try await records.instances(of: deployment)
    if let group = target.group, !all.contains(where: { $0.group == group }) {
      throw DirectorFailure(70009, status: 404, "Instance group '\(group)' doesn't exist in deployment '\(deployment)'")
    }
    let meant = all.filter(target.matches)
    for id in target.ids where !meant.contains(where: { $0.id == id || String($0.index) == id }) {
      throw DirectorFailure(
        70001, status: 404, "Instance '\(deployment)/\(target.group ?? "*")/\(id)' doesn't exist")
    }
    let machines = meant.filter { $0.vm?.cid != nil }
    guard !machines.isEmpty else {
      throw DirectorFailure(
        70001, status: 404,
        "No instance of '\(target)' in deployment '\(deployment)' has a VM; is it stopped with --hard?"
      )
    }
    return machines
  }
}
