public import Formats

/// The rules of NATS subjects: tokens joined by ".", `*` for any one token, `>` at the end for one or more.
public enum Subject {
  /// The longest subject that is accepted, in bytes: the server's control line is 4,096.
  public static let maximumLength = 1024

  /// Refuses what must not be published on: empty tokens, wildcards, blanks, control characters.
  public static func check(publish subject: String) throws(DroverError) {
    try check(subject, wildcards: false)
  }

  /// Refuses what can't be subscribed to: as for publishing, but whole-token wildcards are allowed.
  public static func check(subscribe subject: String) throws(DroverError) {
    try check(subject, wildcards: true)
  }

  /// Whether a subscription to `pattern` receives what is published on `subject`.
  public static func matches(_ pattern: String, _ subject: String) -> Bool {
    var pattern = pattern.utf8[...]
    var subject = subject.utf8[...]
    while let expected = token(&pattern) {
      if expected.elementsEqual([UInt8(ascii: ">")]) { return !subject.isEmpty }
      guard let found = token(&subject) else { return false }
      if !expected.elementsEqual([UInt8(ascii: "*")]), !expected.elementsEqual(found) { return false }
    }
    return subject.isEmpty
  }

  private static func check(_ subject: String, wildcards: Bool) throws(DroverError) {
    func refuse(_ reason: String) -> DroverError {
      DroverError(.invalid, "subject \(subject.debugDescription.prefix(200)): \(reason)")
    }
    let bytes = subject.utf8
    if bytes.isEmpty { throw refuse("is empty") }
    if bytes.count > maximumLength { throw refuse("is longer than \(maximumLength) bytes") }
    if isPlain(subject) { return }
    if bytes.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { throw refuse("contains a blank or control character") }
    let tokens = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    for (index, token) in tokens.enumerated() {
      if token.isEmpty { throw refuse("has an empty part between its dots") }
      let isRest = token.elementsEqual(">".utf8)
      guard isRest || token.elementsEqual("*".utf8) else { continue }
      if !wildcards { throw refuse("has a wildcard, which only a subscription may have") }
      if isRest && index != tokens.count - 1 { throw refuse("has \">\" before its end") }
    }
  }

  /// Whether nothing about a subject needs a closer look, as is so for all but a few.
  private static func isPlain(_ subject: String) -> Bool {
    var subject = subject
    return subject.withUTF8 { bytes in
      var last = UInt8(ascii: ".")
      for byte in bytes {
        if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "*") || byte == UInt8(ascii: ">") { return false }
        if byte == UInt8(ascii: "."), last == byte { return false }
        last = byte
      }
      return last != UInt8(ascii: ".")
    }
  }

  private static func token(_ rest: inout Substring.UTF8View) -> Substring.UTF8View? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex(of: UInt8(ascii: ".")) ?? rest.endIndex
    let token = rest[..<end]
    rest = end == rest.endIndex ? rest[end...] : rest[rest.index(after: end)...]
    return token
  }
}
