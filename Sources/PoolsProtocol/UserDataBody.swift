import Formats
import GoConventions

/// The body of an update: a JSON object of strings. Only the first JSON value is read, as Go's decoder does it, and
/// what is wrong is said in its words (reference/boskos.md 2).
public enum UserDataBody {
  /// - Returns: nil when the body is empty or `null`: a heartbeat. An empty string deletes its key.
  /// - Throws: ``DroverError`` with code `invalid` and Go's text.
  public static func parse(_ body: [UInt8]) throws -> [String: String]? {
    var scanner = GoJSONScanner(body)
    guard let range = try scanner.firstValue() else { return nil }
    let value = try JSON.parse(repaired(body[range]))
    guard !value.isNull else { return nil }
    guard let object = value.object else {
      throw DroverError(
        .invalid, "json: cannot unmarshal \(kind(value)) into Go value of type common.UserDataMap")
    }
    var data: [String: String] = [:]
    for (name, member) in object {
      switch member {
      case .string(let text): data[name] = text
      case .null: data[name] = ""
      default:
        throw DroverError(
          .invalid, "json: cannot unmarshal \(kind(member)) into Go struct field UserDataMap.\(name) of type string")
      }
    }
    return data
  }

  /// Go reads half of a surrogate pair, and bytes that are no UTF-8, as U+FFFD.
  static func repaired(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    func escape(at place: Int) -> UInt32? {
      guard place + 6 <= bytes.endIndex, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u")
      else { return nil }
      return UInt32(String(decoding: bytes[(place + 2)..<(place + 6)], as: UTF8.self), radix: 16)
    }
    while index < bytes.endIndex {
      guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.endIndex else {
        result.append(bytes[index])
        index += 1
        continue
      }
      let code = escape(at: index)
      let isPair = (0xD800..<0xDC00).contains(code ?? 0) && (0xDC00..<0xE000).contains(escape(at: index + 6) ?? 0)
      if let code, (0xD800..<0xE000).contains(code), !isPair {
        result += Array("\\ufffd".utf8)
        index += 6
      } else {
        let length = isPair ? 12 : 2
        result += bytes[index..<(index + length)]
        index += length
      }
    }
    return Array(String(decoding: result, as: UTF8.self).utf8)
  }

  static func kind(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .bool: "bool"
    case .int, .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
