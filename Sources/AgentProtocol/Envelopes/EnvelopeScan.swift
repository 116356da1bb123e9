import Formats

/// The texts among the members of an object that is nested too deep to be read as a whole: enough of a request to
/// refuse it. Goes through the bytes once, with no recursion.
struct EnvelopeScan {
  /// Of members that are repeated, the last one, as in what is read as a whole.
  private(set) var members: [String: String] = [:]

  init(_ bytes: [UInt8]) {
    var depth = 0
    var name: String?
    var isValue = false
    var position = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ":") where depth == 1: isValue = true
      case UInt8(ascii: ",") where depth == 1:
        name = nil
        isValue = false
      case UInt8(ascii: "\""):
        let end = Self.endOfString(bytes, from: position)
        if depth == 1, let text = try? JSON.parse(Array(bytes[position..<end])).string {
          if !isValue { name = text } else if let name { members[name] = text }
        }
        position = end
        continue
      default: break
      }
      position += 1
    }
  }

  /// The place behind the closing quote, or the end.
  private static func endOfString(_ bytes: [UInt8], from start: Int) -> Int {
    var position = start + 1
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "\"") { return position + 1 }
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    return bytes.count
  }
}
