import Formats

/// Takes out of a message what must not stand in a log: keys, passwords, signed URLs and their headers.
enum Redaction {
  private static let secretNames: Set<String> = [
    "password", "private_key", "secret", "access_key_id", "secret_access_key", "payload", "blobstore_headers",
    "signed_url", "package_get_signed_url", "upload_signed_url", "properties", "authorized_keys",
    "env",
  ]

  static func apply(to value: Value) -> Value {
    switch value {
    case .array(let elements): return .array(elements.map(apply))
    case .object(let object):
      return .object(
        ValueObject(
          object.map { name, value in
            (name, secretNames.contains(name) && !isEmpty(value) ? "‹redacted›" : apply(to: value))
          }))
    default: return value
    }
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
