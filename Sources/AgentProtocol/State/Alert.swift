public import Formats

/// Something that an operator should know, as an agent tells the health monitor (reference/agent.md 15).
public struct Alert: Sendable, Hashable {
  public var id: String
  /// 1 alert, 2 critical, 3 error, 4 warning.
  public var severity: Int
  /// `service (addresses) - event - action`.
  public var title: String
  public var summary: String
  /// Seconds since 1970.
  public var createdAt: Int

  public init(id: String, severity: Int, title: String, summary: String, createdAt: Int) {
    self.id = id
    self.severity = severity
    self.title = title
    self.summary = summary
    self.createdAt = createdAt
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "alert")
    self.init(
      id: try reader.scalarText("id"), severity: try reader.int("severity"),
      title: try reader.optionalString("title") ?? "", summary: try reader.optionalString("summary") ?? "",
      createdAt: try reader.optionalInt("created_at") ?? 0)
  }

  public var value: Value {
    [
      "id": .string(id), "severity": .int(severity), "title": .string(title), "summary": .string(summary),
      "created_at": .int(createdAt),
    ]
  }
}
