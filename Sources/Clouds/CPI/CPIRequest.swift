public import Formats

/// One call of a CPI as it stands on the executable's stdin (reference/director.md C.9).
public struct CPIRequest: Sendable, Hashable {
  public var method: String
  public var arguments: [Value]
  /// Who asks, and the properties of the CPI's configuration.
  public var context: ValueObject
  /// Absent in the first call, `info`, which asks for it.
  public var apiVersion: Int?

  public init(method: String, arguments: [Value] = [], context: ValueObject = [:], apiVersion: Int? = nil) {
    self.method = method
    self.arguments = arguments
    self.context = context
    self.apiVersion = apiVersion
  }

  /// - Throws: ``DroverError`` that names the field.
  public init(_ bytes: [UInt8]) throws {
    let reader: FieldReader
    do { reader = try FieldReader(JSON.parse(bytes)) } catch {
      throw DroverError(.invalid, "reading a CPI request", cause: error)
    }
    method = try reader.string("method")
    guard let arguments = (reader.value("arguments") ?? .array([])).array else {
      throw reader.error("arguments", "expected an array")
    }
    self.arguments = arguments
    context = reader.value("context")?.object ?? [:]
    apiVersion = try reader.optionalInt("api_version")
  }

  public func encoded() -> [UInt8] {
    var members: ValueObject = [
      "method": .string(method), "arguments": .array(arguments), "context": .object(context),
    ]
    if let apiVersion { members["api_version"] = .int(apiVersion) }
    return JSON.bytes(.object(members))
  }
}
