import Documents
public import Formats
import Surroundings

/// Persistent disks, as the API offers them (reference/director.md A.8).
extension Director {
  /// Those that no instance has any more, the newest first.
  public func orphanDisksListing() async throws -> Value {
    let disks = try await records.orphanDisks.list().map(\.body).sorted { $0.orphanedAt > $1.orphanedAt }
    return .array(
      try disks.map { record -> Value in
        [
          "disk_cid": .string(record.disk.cid), "size": .int(record.disk.size), "az": nil,
          "deployment_name": .string(record.deployment), "instance_name": .string(record.instance),
          "cloud_properties": try JSON.parse(record.disk.cloudProperties),
          "orphaned_at": .string(Timestamp(seconds: record.orphanedAt).text),
        ]
      })
  }
}
