public import Formats

extension ApplySpec {
  /// Reads a spec; what the agent has no use for is dropped. Absent and null members are empty.
  /// - Throws: ``DroverError`` with code `invalid`, naming the member.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "apply spec")
    self.init()
    properties = try reader.optionalObject("properties") ?? [:]
    if let job = try reader.optionalReader("job") { self.job = try Job(job) }
    packages = try (reader.optionalObject("packages") ?? [:]).map { name, package in
      try Package(FieldReader(package, at: reader.place("packages.\(name)")), name: name)
    }
    configurationHash = try reader.optionalString("configuration_hash") ?? ""
    networks = try reader.optionalObject("networks") ?? [:]
    resourcePool = reader.value("resource_pool") ?? [:]
    deployment = try reader.optionalString("deployment") ?? ""
    name = try reader.optionalString("name") ?? ""
    index = try reader.optionalInt("index")
    id = try reader.optionalString("id") ?? ""
    az = try reader.optionalString("az") ?? ""
    persistentDisk = try reader.optionalInt("persistent_disk") ?? 0
    renderedTemplatesArchive = try reader.optionalReader("rendered_templates_archive").flatMap(
      RenderedTemplatesArchive.init)
    if let release = try reader.optionalReader("release") {
      self.release = Release(
        name: try release.optionalString("name") ?? "", version: try release.optionalScalarText("version") ?? "")
    }
  }

  /// The spec in the order in which `get_state` shows it.
  public var value: Value {
    [
      "properties": .object(properties),
      "job": job.value,
      "packages": .object(ValueObject(packages.map { ($0.name, $0.value) })),
      "configuration_hash": .string(configurationHash),
      "networks": .object(networks),
      "resource_pool": resourcePool,
      "deployment": .string(deployment),
      "name": .string(name),
      "index": Value(index),
      "id": .string(id),
      "az": .string(az),
      "persistent_disk": .int(persistentDisk),
      "rendered_templates_archive": renderedTemplatesArchive?.value ?? .null,
    ]
  }
}

extension ApplySpec.Job {
  init(_ reader: FieldReader) throws {
    self.init()
    name = try reader.optionalString("name")
    release = try reader.optionalString("release") ?? ""
    template = try reader.optionalString("template") ?? ""
    version = try reader.optionalScalarText("version") ?? ""
    templates = try reader.readers("templates").map(ApplySpec.Template.init)
  }

  var value: Value {
    [
      "name": Value(name), "release": .string(release), "template": .string(template), "version": .string(version),
      "templates": .array(templates.map(\.value)),
    ]
  }
}

extension ApplySpec.Template {
  init(_ reader: FieldReader) throws {
    self.init(
      name: try reader.string("name"), version: try reader.optionalScalarText("version") ?? "",
      sha1: try reader.optionalString("sha1"), blobstoreID: try reader.optionalString("blobstore_id"),
      isErrand: try reader.optionalString("kind") == Self.errandKind)
  }

  private static let errandKind = "errand"

  var value: Value {
    var object: ValueObject = ["name": .string(name), "version": .string(version)]
    if isErrand { object["kind"] = .string(Self.errandKind) }
    if let sha1 { object["sha1"] = .string(sha1) }
    if let blobstoreID { object["blobstore_id"] = .string(blobstoreID) }
    return .object(object)
  }
}

extension ApplySpec.Package {
  /// Reads the value of a map whose key is `name`; a `name` member counts more.
  init(_ reader: FieldReader, name: String) throws {
    self.init(
      name: try reader.optionalString("name") ?? name, version: try reader.optionalScalarText("version") ?? "",
      sha1: try reader.optionalString("sha1") ?? "", blobstoreID: try reader.optionalString("blobstore_id") ?? "",
      signedURL: try reader.optionalString("signed_url") ?? "",
      blobstoreHeaders: try reader.stringMap("blobstore_headers"))
  }

  public var value: Value {
    var object: ValueObject = [
      "name": .string(name), "version": .string(version), "sha1": .string(sha1), "blobstore_id": .string(blobstoreID),
    ]
    if !signedURL.isEmpty { object["signed_url"] = .string(signedURL) }
    if !blobstoreHeaders.isEmpty { object["blobstore_headers"] = Value(blobstoreHeaders) }
    return .object(object)
  }
}

extension ApplySpec.RenderedTemplatesArchive {
  /// Nil when both members are empty, which means the same as null.
  init?(_ reader: FieldReader) throws {
    let sha1 = try reader.optionalString("sha1") ?? ""
    let blobstoreID = try reader.optionalString("blobstore_id") ?? ""
    if sha1.isEmpty, blobstoreID.isEmpty { return nil }
    self.init(sha1: sha1, blobstoreID: blobstoreID, signedURL: try reader.optionalString("signed_url") ?? "")
  }

  var value: Value {
    var object: ValueObject = ["sha1": .string(sha1), "blobstore_id": .string(blobstoreID)]
    if !signedURL.isEmpty { object["signed_url"] = .string(signedURL) }
    return .object(object)
  }
}
