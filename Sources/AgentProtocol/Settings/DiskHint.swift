public import Formats

/// How an agent finds a disk (reference/agent.md 4). A bare string is path and volume id alike.
public struct DiskHint: Sendable, Hashable {
  public var path: String
  public var volumeID: String
  public var id: String
  public var lun: String
  public var hostDeviceID: String
  /// Kept as sent: username, password, initiator_name, target.
  public var iscsiSettings: Value?

  public init(
    path: String = "", volumeID: String = "", id: String = "", lun: String = "", hostDeviceID: String = "",
    iscsiSettings: Value? = nil
  ) {
    self.path = path
    self.volumeID = volumeID
    self.id = id
    self.lun = lun
    self.hostDeviceID = hostDeviceID
    self.iscsiSettings = iscsiSettings
  }

  public init(_ value: Value, at place: String = "disk hint") throws {
    if let text = value.string {
      self.init(path: text, volumeID: text)
      return
    }
    let reader = try FieldReader(value, at: place)
    self.init(
      path: try reader.optionalString("path") ?? "", volumeID: try reader.optionalScalarText("volume_id") ?? "",
      id: try reader.optionalScalarText("id") ?? "", lun: try reader.optionalScalarText("lun") ?? "",
      hostDeviceID: try reader.optionalScalarText("host_device_id") ?? "",
      iscsiSettings: reader.value("iscsi_settings"))
  }

  public var value: Value {
    var object = ValueObject()
    for (name, text) in [
      ("path", path), ("volume_id", volumeID), ("id", id), ("lun", lun), ("host_device_id", hostDeviceID),
    ] where !text.isEmpty {
      object[name] = .string(text)
    }
    if let iscsiSettings { object["iscsi_settings"] = iscsiSettings }
    return .object(object)
  }
}
