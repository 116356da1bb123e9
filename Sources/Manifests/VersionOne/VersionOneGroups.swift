import Formats

/// Jobs and errands at the top of a manifest, as instance groups.
struct VersionOneGroups {
  private struct Pool {
    let name: String
    let network: String?
    let alias: String
    let env: Value?
  }

  /// Those that resource pools name, each once.
  private(set) var stemcells: [Value] = []
  /// One for each resource pool.
  private(set) var vmTypes: [Value] = []
  private let reader: FieldReader
  private let releases: [String]
  private var pools: [String: Pool] = [:]

  init(_ reader: FieldReader) throws {
    self.reader = reader
    let single = try reader.optionalReader("release").map { [$0] } ?? []
    releases = try (single + reader.readers("releases")).map { try $0.identifier("name") }
    for pool in try reader.readers("resource_pools") { try add(pool) }
  }

  private mutating func add(_ reader: FieldReader) throws {
    let name = try reader.identifier("name")
    guard pools[name] == nil else { throw reader.error("name", "resource pool '\(name)' is there twice") }
    var type: ValueObject = ["name": .string(name)]
    type["cloud_properties"] = reader.value("cloud_properties")
    vmTypes.append(.object(type))
    pools[name] = Pool(
      name: name, network: try reader.optionalString("network"),
      alias: try alias(of: reader.reader("stemcell")), env: reader.value("env"))
  }

  /// The alias of a pool's stemcell: its name, with the version where there are several of that name.
  private mutating func alias(of reader: FieldReader) throws -> String {
    guard let version = try reader.optionalScalarText("version") else {
      throw reader.error("version", "missing; expected a version or 'latest'")
    }
    let (name, system) = (try reader.optionalString("name"), try reader.optionalString("os"))
    guard let label = name ?? system else { throw reader.error("name", "missing; expected the name of a stemcell") }
    var stemcell: ValueObject = [
      "alias": .string(label), "version": .string(version), (name == nil ? "os" : "name"): .string(label),
    ]
    if let known = stemcells.first(where: { $0["alias"]?.string == label }), known != .object(stemcell) {
      stemcell["alias"] = .string("\(label)-\(version)")
    }
    if !stemcells.contains(.object(stemcell)) { stemcells.append(.object(stemcell)) }
    return stemcell["alias"]?.string ?? label
  }

  /// `jobs` of version 1.
  func services() throws -> [Value] { try reader.readers("jobs").map { try group($0, isErrand: false) } }

  /// `errands` of the proposal, those that have jobs of their own.
  func errands() throws -> [Value] {
    try reader.readers("errands").filter(ErrandPolicy.defines).map { try group($0, isErrand: true) }
  }

  private static let translated: Set<String> = [
    "template", "templates", "release", "resource_pool", "persistent_disk_pool",
  ]

  private func group(_ reader: FieldReader, isErrand: Bool) throws -> Value {
    let dropped = isErrand ? Self.translated.union(ErrandPolicy.keys) : Self.translated
    var group = ValueObject(reader.object.filter { !dropped.contains($0.key) }.map { ($0, $1) })
    let name = try reader.identifier("name")
    if isErrand {
      if let lifecycle = try reader.optionalString("lifecycle"), lifecycle != "errand" {
        throw reader.error("lifecycle", "what stands under 'errands' is an errand, found '\(lifecycle)'")
      }
      group["lifecycle"] = "errand"
      if group["instances"] == nil { group["instances"] = 1 }
    }
    if reader.value("jobs") == nil { group["jobs"] = .array(try jobs(reader, name)) }
    if let pool = try reader.optionalScalarText("resource_pool") { try use(pool, in: &group, reader) }
    if group["stemcell"] == nil, let only = onlyStemcell { group["stemcell"] = .string(only) }
    group["persistent_disk_type"] = group["persistent_disk_type"] ?? reader.value("persistent_disk_pool")
    return .object(group)
  }

  private func use(_ name: String, in group: inout ValueObject, _ reader: FieldReader) throws {
    guard let pool = pools[name] else {
      throw reader.error(
        "resource_pool",
        "there is no resource pool '\(name)'" + NearNames.hint(name, among: Array(pools.keys)))
    }
    group["vm_type"] = .string(pool.name)
    group["stemcell"] = .string(pool.alias)
    if group["networks"] == nil, let network = pool.network {
      group["networks"] = .array([["name": .string(network)]])
    }
    if group["env"] == nil { group["env"] = pool.env }
  }

  /// The stemcell that is meant where none is named: the only one of the manifest.
  private var onlyStemcell: String? {
    let all = stemcells + (reader.value("stemcells")?.array ?? [])
    return all.count == 1 ? all[0]["alias"]?.string : nil
  }

  /// `templates: [{name, release}]`, `templates: [name]`, `template: name` or `template: [names]`; the errand of that
  /// name where nothing is said.
  private func jobs(_ reader: FieldReader, _ name: String) throws -> [Value] {
    let release = try reader.optionalScalarText("release")
    let entries: [Value]
    if let templates = try reader.optionalArray("templates") {
      entries = templates
    } else {
      switch reader.value("template") {
      case .array(let names): entries = names
      case let one?: entries = [one]
      case nil: entries = [.string(name)]
      }
    }
    return try entries.enumerated().map { index, entry in
      var job = entry.object ?? ["name": entry]
      guard job["name"]?.string != nil else {
        throw reader.error("templates[\(index)]", "expected the name of a job, or an object with 'name' and 'release'")
      }
      if job["release"] == nil {
        guard let release = release ?? (releases.count == 1 ? releases[0] : nil) else {
          throw reader.error(
            "templates[\(index)]",
            "'\(job["name"]?.string ?? "")' names no release, and the manifest has "
              + "\(releases.count); expected 'release'")
        }
        job["release"] = .string(release)
      }
      return .object(job)
    }
  }
}
