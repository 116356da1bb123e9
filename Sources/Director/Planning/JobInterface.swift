public import Formats

/// What planning needs of a job's `job.MF` (`reference/director.md E.1`).
public struct JobInterface: Sendable, Hashable {
  public struct Link: Sendable, Hashable {
    public var name: String
    public var type: String
    /// Of a provider: dotted names of the properties that it shows.
    public var properties: [String]
    /// Of a consumer: whether the job can do without.
    public var optional: Bool
  }

  public var name: String
  /// Files: path in the job's `templates` folder, and path on the instance, in the order of the spec.
  public var templates: [Template]
  /// Names of the packages that it needs at run time.
  public var packages: [String]
  /// Defaults by dotted name; nil when there is none.
  public var properties: [String: Value?]
  public var provides: [Link]
  public var consumes: [Link]

  public struct Template: Sendable, Hashable {
    public var source: String
    public var destination: String
  }

  /// Whether the job can be run as an errand.
  public var isErrand: Bool { templates.contains { ["bin/run", "bin/run.ps1"].contains($0.destination) } }

  /// Reads the JSON of a ``JobRecord``.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ record: JobRecord) throws {
    let reader = try FieldReader(JSON.parse(record.spec), at: "job '\(record.name)'")
    name = record.name
    templates = try (reader.optionalObject("templates") ?? [:]).map { source, destination in
      guard let destination = destination.scalarText else {
        throw reader.error("templates.\(source)", "expected a path, found \(destination.kindName)")
      }
      return Template(source: source, destination: destination)
    }
    packages = try reader.strings("packages")
    properties = [:]
    for (name, definition) in try reader.optionalObject("properties") ?? [:] {
      properties.updateValue(definition["default"], forKey: name)
    }
    func links(_ field: String) throws -> [Link] {
      try reader.readers(field).map { link in
        Link(
          name: try link.string("name"), type: try link.string("type"), properties: try link.strings("properties"),
          optional: try link.optionalBool("optional") ?? false)
      }
    }
    provides = try links("provides")
    consumes = try links("consumes")
  }
}
