/// The error texts that directors and people know (reference/agent.md 7, 8).
public enum AgentTexts {
  /// Both directors take this to mean that the agent lacks an optional method.
  public static func unknownMessage(_ method: String) -> String { "unknown message \(method)" }
  public static func actionFailed(_ method: String, _ reason: String) -> String { "Action Failed \(method): \(reason)" }
  public static func notEnoughArguments(expected: Int, got: Int) -> String {
    "Extracting method arguments from payload: Not enough arguments, expected \(expected), got \(got)"
  }
  /// Begins what is said of an argument that is not what the method wants.
  public static let wrongArgument = "Extracting method arguments from payload: Unmarshalling action argument"
  public static func taskNotFound(_ id: String) -> String { "Task with id \(id) could not be found" }
  /// A failed task as `get_task` tells it, inside ``actionFailed(_:_:)``.
  public static func taskFailed(_ id: String, _ reason: String) -> String { "Task \(id) result: \(reason)" }

  /// Begins what is said of an errand whose script could not be run.
  public static let errandFailed = "Running errand script: "

  public static let responseTooLong = "Response exceeded maximum allowed length"
  public static let truncationMark = "\n...[truncated]...\n"

  /// Whether an exception says that the agent does not know the method.
  public static func isUnknownMessage(_ message: String) -> Bool { message.contains("unknown message") }

  /// Head and tail of a text around ``truncationMark``, at most that many UTF-8 bytes; the text itself if it fits.
  public static func shortened(_ text: String, to limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    let bytes = Array(text.utf8)
    let room = max(0, limit - truncationMark.utf8.count)
    let head = wholeCharacters(bytes.prefix(room / 2), dropFirst: false)
    let tail = wholeCharacters(bytes.suffix(room - room / 2), dropFirst: true)
    return String(decoding: head, as: UTF8.self) + truncationMark + String(decoding: tail, as: UTF8.self)
  }

  /// The bytes without a UTF-8 sequence that was cut at the end (or, `dropFirst`, at the beginning).
  private static func wholeCharacters(_ bytes: ArraySlice<UInt8>, dropFirst: Bool) -> ArraySlice<UInt8> {
    if dropFirst { return bytes.drop { $0 & 0xC0 == 0x80 } }
    guard let lead = bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return bytes.prefix(0) }
    let length =
      switch bytes[lead] {
      case 0xF0...: 4
      case 0xE0...: 3
      case 0xC0...: 2
      default: 1
      }
    return bytes.endIndex - lead >= length ? bytes : bytes[..<lead]
  }
}
