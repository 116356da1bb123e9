public import Digests
public import Formats

/// `stemcell.MF` (`reference/director.md E.2`).
public struct StemcellManifest: Sendable, Hashable {
  public var name: String
  public var version: String
  /// 3 means that the agent knows signed URLs.
  public var apiVersion: Int
  /// Of the file `image`; nil when it is not said.
  public var digest: MultiDigest?
  public var operatingSystem: String
  public var formats: [String]
  public var cloudProperties: ValueObject

  public init(
    name: String, version: String, apiVersion: Int = 3, digest: MultiDigest?, operatingSystem: String,
    formats: [String], cloudProperties: ValueObject
  ) {
    self.name = name
    self.version = version
    self.apiVersion = apiVersion
    self.digest = digest
    self.operatingSystem = operatingSystem
    self.formats = formats
    self.cloudProperties = cloudProperties
  }

  /// - Parameter file: What to call it in errors.
  /// - Throws: ``Formats/DroverError`` with code `invalid` that names the file and the field.
  public init(_ text: [UInt8], file: String = "stemcell.MF") throws {
    let document = try YAML.parse(text, file: file)
    do {
      let fields = try FieldReader(document)
      name = try fields.scalarText("name")
      try NameRule("stemcell name", extra: NameRule.artifact.extra).check(name)
      version = try fields.scalarText("version")
      try NameRule("stemcell version", extra: NameRule.artifact.extra).check(version)
      apiVersion = try fields.optionalInt("api_version") ?? 1
      digest = try fields.optionalScalarText("sha1").flatMap { $0.isEmpty ? nil : try MultiDigest($0) }
      operatingSystem = try fields.optionalScalarText("operating_system") ?? name
      formats = try fields.strings("stemcell_formats")
      cloudProperties = try fields.optionalObject("cloud_properties") ?? ValueObject()
    } catch let error as DroverError {
      throw DroverError(error.code, "\(file): \(error.message)", cause: error.cause)
    }
  }

  /// The document as YAML.
  public var text: String {
    var fields: ValueObject = [
      "name": .string(name), "version": .string(version), "api_version": .int(apiVersion), "bosh_protocol": "1",
    ]
    if let digest { fields["sha1"] = .string(digest.description) }
    fields["operating_system"] = .string(operatingSystem)
    if !formats.isEmpty { fields["stemcell_formats"] = Value(formats) }
    fields["cloud_properties"] = .object(cloudProperties)
    return YAML.text(.object(fields))
  }

  /// What packages are compiled for: `os/version`.
  public var compilationTarget: String { "\(operatingSystem)/\(version)" }
}
