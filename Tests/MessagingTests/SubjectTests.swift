import Formats
import Messaging
import Testing

@Suite("Subject")
struct SubjectTests {
  @Test(
    "matches as nats-server does",
    arguments: [
      ("a", "a", true), ("a", "b", false), ("a.b", "a.b", true), ("a", "a.b", false), ("a.b", "a", false),
      ("*", "a", true), ("*", "a.b", false), ("a.*", "a.b", true), ("a.*", "a", false), ("a.*.c", "a.b.c", true),
      (">", "a", true), (">", "a.b.c", true), ("a.>", "a.b.c", true), ("a.>", "a", false), ("*.>", "a.b", true),
      ("a.*.>", "a.b", false), ("ab", "a", false), ("a*", "ab", false),
    ])
  func matching(pattern: String, subject: String, expected: Bool) {
    #expect(Subject.matches(pattern, subject) == expected)
  }

  @Test(
    "refuses what must not be published on",
    arguments: ["", ".", "a.", ".a", "a..b", "a b", "a\r\nPING", "a\tb", "*", "a.>", "a.*"])
  func refusedForPublishing(subject: String) {
    let error = #expect(throws: DroverError.self) { try Subject.check(publish: subject) }
    #expect(error?.code == .invalid)
  }

  @Test("refuses subjects that are too long")
  func tooLong() throws {
    try Subject.check(publish: String(repeating: "a", count: 1024))
    #expect(throws: DroverError.self) { try Subject.check(publish: String(repeating: "a", count: 1025)) }
  }

  @Test("allows wildcards in subscriptions, whole and > at the end", arguments: ["a", "*", ">", "a.*.b", "a.>", "a*"])
  func allowedForSubscribing(subject: String) throws { try Subject.check(subscribe: subject) }

  @Test("refuses other wildcards in subscriptions", arguments: ["", "a.>.b", ">.a", "a b", "a..>"])
  func refusedForSubscribing(subject: String) {
    #expect(throws: DroverError.self) { try Subject.check(subscribe: subject) }
  }
}
