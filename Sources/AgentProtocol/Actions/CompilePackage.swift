public import Formats

/// A package to compile: the arguments of `compile_package` and the argument of `compile_package_with_signed_url`
/// (reference/agent.md 11).
public struct CompileRequest: Sendable, Hashable {
  public var name: String
  public var version: String
  /// The source's multi-digest.
  public var digest: String
  /// The source's blob, for `compile_package`.
  public var blobstoreID: String
  /// Where to get the source, for `compile_package_with_signed_url`.
  public var sourceURL: String
  /// Where to put the result, for `compile_package_with_signed_url`.
  public var uploadURL: String
  public var blobstoreHeaders: [String: String]
  /// The compiled packages it needs.
  public var dependencies: [ApplySpec.Package]

  public init(
    name: String, version: String, digest: String, blobstoreID: String = "", sourceURL: String = "",
    uploadURL: String = "", blobstoreHeaders: [String: String] = [:], dependencies: [ApplySpec.Package] = []
  ) {
    self.name = name
    self.version = version
    self.digest = digest
    self.blobstoreID = blobstoreID
    self.sourceURL = sourceURL
    self.uploadURL = uploadURL
    self.blobstoreHeaders = blobstoreHeaders
    self.dependencies = dependencies
  }

  /// The positional arguments of `compile_package`.
  public init(arguments: [Value]) throws {
    guard arguments.count >= 5 else {
      throw DroverError(.invalid, AgentTexts.notEnoughArguments(expected: 5, got: arguments.count))
    }
    let texts = try zip(arguments, ["blob id", "digest", "name", "version"]).map { value, what in
      guard let text = value.scalarText else {
        throw DroverError(.invalid, "compile_package: \(what): expected a string, found \(value.kindName)")
      }
      return text
    }
    self.init(
      name: texts[2], version: texts[3], digest: texts[1], blobstoreID: texts[0],
      dependencies: try Self.dependencies(arguments[4], urlMember: "signed_url"))
  }

  /// The one argument of `compile_package_with_signed_url`.
  public init(signed value: Value) throws {
    let reader = try FieldReader(value, at: "compile_package_with_signed_url")
    self.init(
      name: try reader.string("name"), version: try reader.scalarText("version"),
      digest: try reader.optionalString("digest") ?? "",
      sourceURL: try reader.optionalString("package_get_signed_url") ?? "",
      uploadURL: try reader.optionalString("upload_signed_url") ?? "",
      blobstoreHeaders: try reader.stringMap("blobstore_headers"),
      dependencies: try Self.dependencies(reader.value("deps") ?? [:], urlMember: "package_get_signed_url"))
  }

  private static func dependencies(_ value: Value, urlMember: String) throws -> [ApplySpec.Package] {
    if value.isNull { return [] }
    return try FieldReader(["deps": value]).reader("deps").object.map { name, dependency in
      let reader = try FieldReader(dependency, at: "deps.\(name)")
      var package = try ApplySpec.Package(reader, name: name)
      if let url = try reader.optionalString(urlMember) { package.signedURL = url }
      return package
    }
  }

  /// The arguments of `compile_package`.
  public var arguments: [Value] {
    [
      .string(blobstoreID), .string(digest), .string(name), .string(version),
      .object(ValueObject(dependencies.map { ($0.name, $0.value) })),
    ]
  }

  /// The argument of `compile_package_with_signed_url`.
  public var signedArgument: Value {
    [
      "package_get_signed_url": .string(sourceURL), "upload_signed_url": .string(uploadURL),
      "blobstore_headers": Value(blobstoreHeaders), "digest": .string(digest), "name": .string(name),
      "version": .string(version),
      "deps": .object(
        ValueObject(
          dependencies.map { package in
            var object = package.value.object ?? [:]
            object["signed_url"] = nil
            object["package_get_signed_url"] = .string(package.signedURL)
            return (package.name, .object(object))
          })),
    ]
  }
}

/// The compiled package.
public struct CompileResult: Sendable, Hashable {
  /// Absent when it was put to a signed URL.
  public var blobstoreID: String?
  /// A multi-digest.
  public var sha1: String

  public init(blobstoreID: String?, sha1: String) {
    self.blobstoreID = blobstoreID
    self.sha1 = sha1
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "compile result").reader("result")
    self.init(blobstoreID: try reader.optionalString("blobstore_id"), sha1: try reader.string("sha1"))
  }

  public var value: Value {
    var result = ValueObject()
    if let blobstoreID { result["blobstore_id"] = .string(blobstoreID) }
    result["sha1"] = .string(sha1)
    return ["result": .object(result)]
  }
}
