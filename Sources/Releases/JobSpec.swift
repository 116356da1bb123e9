public import Formats

/// `job.MF` (a job's `spec` file): what a job is made of and what it may be told (`reference/director.md E.1`).
public struct JobSpec: Sendable, Hashable {
  /// A file that is rendered.
  public struct Template: Sendable, Hashable {
    /// Below `templates/` in the job's archive.
    public var source: String
    /// Below the job's folder on the VM.
    public var destination: String

    public init(source: String, destination: String) {
      self.source = source
      self.destination = destination
    }
  }

  /// A property that templates may ask for.
  public struct Property: Sendable, Hashable {
    /// Dotted, such as `redis.port`.
    public var name: String
    public var description: String
    /// Nil when there is none; `null` when it is declared as that.
    public var defaultValue: Value?
    public var example: Value?

    public init(name: String, description: String = "", defaultValue: Value? = nil, example: Value? = nil) {
      self.name = name
      self.description = description
      self.defaultValue = defaultValue
      self.example = example
    }
  }

  /// A link that the job offers.
  public struct Provided: Sendable, Hashable {
    public var name: String
    public var type: String
    /// Names of the properties that consumers see. Real releases also name what is above declared ones (`ccdb` for
    /// `ccdb.address`), so whether a name means anything shows only with the given properties.
    public var properties: [String]

    public init(name: String, type: String, properties: [String] = []) {
      self.name = name
      self.type = type
      self.properties = properties
    }
  }

  /// A link that the job uses.
  public struct Consumed: Sendable, Hashable {
    public var name: String
    public var type: String
    public var isOptional: Bool

    public init(name: String, type: String, isOptional: Bool = false) {
      self.name = name
      self.type = type
      self.isOptional = isOptional
    }
  }

  public var name: String
  public var description: String
  /// In the order of the file.
  public var templates: [Template]
  public var packages: [String]
  /// In the order of the file.
  public var properties: [Property]
  public var provides: [Provided]
  public var consumes: [Consumed]
  /// Files that `logs --only` knows by a name: name to pattern.
  public var logs: [String: String]
  /// What it needs from the pools when it runs as an errand.
  public var leases: [ErrandLease]

  public init(
    name: String, description: String = "", templates: [Template] = [], packages: [String] = [],
    properties: [Property] = [], provides: [Provided] = [], consumes: [Consumed] = [], logs: [String: String] = [:],
    leases: [ErrandLease] = []
  ) {
    self.name = name
    self.description = description
    self.templates = templates
    self.packages = packages
    self.properties = properties
    self.provides = provides
    self.consumes = consumes
    self.logs = logs
    self.leases = leases
  }
}

extension JobSpec {
  /// Reads a `job.MF` or a job's `spec`.
  ///
  /// - Parameter file: What to call it in errors.
  /// - Throws: ``Formats/DroverError`` with code `invalid` that names the file and the field.
  public init(_ text: [UInt8], file: String) throws {
    let document = try YAML.parse(text, file: file)
    do {
      try self.init(document)
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
    }
  }

  public init(_ document: Value) throws {
    let fields = try FieldReader(document)
    name = try fields.scalarText("name")
    try NameRule("job name", extra: NameRule.artifact.extra).check(name)
    description = try fields.optionalScalarText("description") ?? ""
    templates = try Self.templates(fields)
    packages = try fields.strings("packages")
    properties = try Self.properties(fields)
    provides = try fields.readers("provides").map { link in
      Provided(
        name: try link.scalarText("name"), type: try link.scalarText("type"), properties: try link.strings("properties")
      )
    }
    consumes = try fields.readers("consumes").map { link in
      Consumed(
        name: try link.scalarText("name"), type: try link.scalarText("type"),
        isOptional: try link.optionalBool("optional") ?? false)
    }
    logs = try (fields.optionalObject("logs") ?? ValueObject()).reduce(into: [:]) { logs, member in
      guard let pattern = member.value.scalarText else {
        throw fields.error("logs.\(member.key)", "expected a file pattern, found \(member.value.kindName)")
      }
      logs[member.key] = pattern
    }
    leases = try fields.leases()
    try checkLinks()
  }

  private static func templates(_ fields: FieldReader) throws -> [Template] {
    try (fields.optionalObject("templates") ?? ValueObject()).map { source, value in
      let place = "templates.\(source)"
      guard let destination = value.scalarText else {
        throw fields.error(place, "expected a path below the job's folder, found \(value.kindName)")
      }
      for path in [source, destination] {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.hasPrefix("/"), !parts.contains(".."), !path.utf8.contains(0) else {
          throw fields.error(place, "'\(path)' leaves the job's folder; expected a relative path without '..'")
        }
      }
      return Template(source: source, destination: destination)
    }
  }

  private static func properties(_ fields: FieldReader) throws -> [Property] {
    try (fields.optionalObject("properties") ?? ValueObject()).map { name, value in
      guard !value.isNull else { return Property(name: name) }
      let definition = try FieldReader(value, at: fields.place("properties.\(name)"))
      return Property(
        name: name, description: definition.value("description")?.scalarText ?? "",
        defaultValue: definition.object["default"], example: definition.object["example"])
    }
  }

  private func checkLinks() throws {
    for (index, link) in provides.enumerated() {
      if provides[..<index].contains(where: { $0.name == link.name }) {
        throw DroverError(.invalid, "provides[\(index)]: link '\(link.name)' is provided twice")
      }
    }
    for (index, link) in consumes.enumerated() where consumes[..<index].contains(where: { $0.name == link.name }) {
      throw DroverError(.invalid, "consumes[\(index)]: link '\(link.name)' is consumed twice")
    }
  }
}
