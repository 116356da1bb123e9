public import Formats

/// The answer to a ``CPIRequest``, as the executable prints it.
public struct CPIResponse: Sendable, Hashable {
  public var result: Value
  public var error: CloudError?
  /// What the CPI has to tell about the call.
  public var log: String

  public init(result: Value = .null, error: CloudError? = nil, log: String = "") {
    self.result = result
    self.error = error
    self.log = log
  }

  /// - Throws: ``CloudError`` of kind `CpiError` when this is no answer of a CPI, with what was found.
  public init(_ bytes: [UInt8]) throws {
    guard let document = try? JSON.parse(bytes), let object = document.object,
      object["result"] != nil || object["error"] != nil
    else {
      let found = String(decoding: bytes.prefix(200), as: UTF8.self)
      throw CloudError(
        .cpiError, "reading the CPI's answer: expected an object with result or error, found \"\(found)\"")
    }
    result = object["result"] ?? .null
    log = object["log"]?.string ?? ""
    guard let error = object["error"], !error.isNull else { return }
    self.error = CloudError(
      CloudError.Kind(rawValue: error["type"]?.string ?? CloudError.Kind.cpiError.rawValue),
      error["message"]?.string ?? "without a message", okToRetry: error["ok_to_retry"]?.bool ?? false)
  }

  public func encoded() -> [UInt8] {
    var members: ValueObject = ["result": error == nil ? result : .null, "error": .null, "log": .string(log)]
    if let error {
      members["error"] = [
        "type": .string(error.kind.rawValue), "message": .string(error.message), "ok_to_retry": .bool(error.okToRetry),
      ]
    }
    return JSON.bytes(.object(members))
  }
}
