public import Formats

/// What a registry of settings says: the older way for an agent to get its settings, from an address that its machine's
/// user data names (slides 13 to 15). `GET <endpoint>/instances/<id>/settings`, with basic authentication.
public enum RegistrySettings {
  /// Where the settings of a machine are, below the endpoint.
  public static func path(instanceID: String) -> String { "/instances/\(encoded(instanceID))/settings" }

  /// The id in a path of that form; nil for other paths, and for ids that are no plain name.
  public static func instanceID(path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].isEmpty, parts[1] == "instances", parts[3] == "settings" else { return nil }
    let isPlain = parts[2].utf8.allSatisfy(isPlain)
    return isPlain && !parts[2].isEmpty && parts[2] != "." && parts[2] != ".." ? String(parts[2]) : nil
  }

  /// The answer: the document as a text inside a document.
  public static func answer(_ settings: [UInt8]) -> Value {
    ["settings": .string(String(decoding: settings, as: UTF8.self)), "status": "ok"]
  }

  /// The document of an answer; one that is no text, or that is not wrapped at all, is taken too.
  /// - Throws: ``DroverError`` with code `invalid` when there is none.
  public static func document(_ bytes: [UInt8]) throws -> Value {
    let answer = try JSON.parse(bytes)
    switch answer["settings"] {
    case .some(.string(let text)):
      do { return try JSON.parse(text) } catch {
        throw DroverError(.invalid, "settings: no JSON inside the registry's answer", cause: error)
      }
    case .some(.object(let object)): return .object(object)
    default:
      guard answer["agent_id"] != nil else {
        throw DroverError(.invalid, "the registry's answer holds no settings")
      }
      return answer
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  private static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      isPlain(byte)
        ? String(UnicodeScalar(byte)) : "%\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))"
    }.joined()
  }
}
