import Formats
import Glibc

/// Takes out of a message what must not stand in a log: keys, passwords, signed URLs and their headers.
enum Redaction {
  static let mark = "‹redacted›"

  private static let secretNames: Set<String> = [
    "payload", "archive", "blobstore_headers", "signed_url", "package_get_signed_url", "upload_signed_url",
    "properties",
    "authorized_keys", "env", "headers",
  ]
  /// A name that holds one of these is secret too, such as `ssh_password` or `secret_access_key`.
  private static let secretParts = ["password", "private_key", "secret", "token", "access_key", "credential", "passwd"]

  static func apply(to value: Value) -> Value {
    switch value {
    case .array(let elements): return .array(elements.map(apply))
    case .object(let object):
      return .object(
        ValueObject(
          object.map { name, value in (name, isSecret(name) && !isEmpty(value) ? .string(mark) : apply(to: value)) }))
    case .string(let text): return .string(self.text(text))
    default: return value
    }
  }

  /// A settings document: what the agent itself reads of `env` may be seen, but for keys and passwords; nothing else of it.
  static func settings(_ document: Value) -> Value {
    guard var object = document.object, let env = object["env"]?.object else { return apply(to: document) }
    object["env"] = nil
    guard case .object(var redacted) = apply(to: .object(object)) else { return .string(mark) }
    redacted["env"] = .object(
      ValueObject(env.map { name, value in (name, name == "bosh" ? apply(to: value) : .string(mark)) }))
    return .object(redacted)
  }

  /// A text without passwords and signatures of URLs, and without keys.
  static func text(_ text: String) -> String {
    if holds(text, "PRIVATE KEY-----") { return mark }
    if text.hasPrefix("-----BEGIN CERTIFICATE-----") { return "‹certificate›" }
    guard holds(text, "://"), let scheme = text.firstRange(of: "://"),
      text[..<scheme.lowerBound].allSatisfy({ !$0.isWhitespace })
    else {
      return text
    }
    let rest = text[scheme.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    var shown = text[..<scheme.upperBound]
    if let at = rest[..<end].lastIndex(of: "@") {
      let user = rest[..<at].prefix { $0 != ":" }
      shown += user.endIndex < at ? user + ":" + mark : user
      shown += rest[at...]
    } else {
      shown += rest
    }
    guard text.hasPrefix("http"), let query = shown.firstIndex(of: "?") else { return String(shown) }
    return String(shown[...query]) + mark
  }

  /// Whether a text holds another, byte for byte: every message is looked through, and most have nothing to hide.
  private static func holds(_ text: String, _ part: String) -> Bool {
    var (text, part) = (text, part)
    return text.withUTF8 { text in
      part.withUTF8 { part in
        guard let start = text.baseAddress, let wanted = part.baseAddress, part.count <= text.count else {
          return false
        }
        return (0...text.count - part.count).contains {
          text[$0] == part[0] && memcmp(start + $0, wanted, part.count) == 0
        }
      }
    }
  }

  private static func isSecret(_ name: String) -> Bool {
    let lower = name.lowercased()
    return secretNames.contains(lower) || secretParts.contains { holds(lower, $0) }
  }

  private static func isEmpty(_ value: Value) -> Bool {
    switch value {
    case .null: true
    case .string(let text): text.isEmpty
    case .array(let elements): elements.isEmpty
    case .object(let object): object.isEmpty
    default: false
    }
  }
}
