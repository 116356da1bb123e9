import Formats

/// A variable: something that manifests name in `((…))`, with all of its values that are in use. Kind `variable`, named
/// by its full name without the first slash.
public struct VariableRecord: Codable, Sendable, Hashable {
  struct Version: Codable, Sendable, Hashable {
    var id: String
    /// Seconds since 1970.
    var createdAt: Int
  }

  /// `/DIRECTOR/DEPLOYMENT/NAME`, or any other with a slash at its beginning.
  var name: String
  /// `password`, `certificate`, …; `value` for one that somebody has set without saying what it is.
  var type: String
  /// A digest of the type and options that the newest value was made from; nil for one that somebody has set.
  var definition: String?
  /// A digest of the certificate of the authority that has signed the newest value.
  var authority: String?
  /// The newest one last.
  var versions: [Version] = []
  /// The values by the ids of their versions, as JSON. Sealed.
  var values = "{}"
  /// The next deploy of a manifest that defines it makes a new value.
  var isStale: Bool?

  var newest: Version? { versions.last }

  init(name: String, type: String) {
    self.name = name
    self.type = type
  }

  /// The value of a version; nil when it is not there any more.
  func value(_ id: String) throws -> Value? { try JSON.parse(values)[id] }

  mutating func add(_ value: Value, _ version: Version) throws {
    var all = try JSON.parse(values).object ?? [:]
    all[version.id] = value
    values = JSON.text(.object(all))
    versions.append(version)
    isStale = nil
  }

  /// Lets go of all versions but those that are in use, the newest three, and what was made later than that.
  mutating func keep(_ used: Set<String>, madeSince time: Int) throws {
    let newest = Set(versions.suffix(3).map(\.id))
    let kept = versions.filter { newest.contains($0.id) || used.contains($0.id) || $0.createdAt >= time }
    guard kept != versions else { return }
    let ids = Set(kept.map(\.id))
    values = JSON.text(
      .object(
        ValueObject((try JSON.parse(values).object ?? [:]).filter { ids.contains($0.key) }.map { ($0.key, $0.value) })))
    versions = kept
  }
}
