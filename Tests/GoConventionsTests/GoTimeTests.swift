import GoConventions
import Surroundings
import Testing

@Suite struct GoTimeTests {
  @Test(
    "any RFC 3339 time is read",
    arguments: [
      ("1970-01-01T00:00:01Z", 1_000_000_000), ("1970-01-01T01:00:00.5+01:00", 500_000_000),
      ("2019-02-07T22:33:38.01350802Z", 1_549_578_818_013_508_020), ("1969-12-31T23:59:59Z", -1_000_000_000),
      ("2024-02-29T12:00:00-05:00", 1_709_226_000_000_000_000),
    ])
  func times(text: String, nanoseconds: Int64) {
    #expect(GoTime.parse(text) == .some(Timestamp(nanoseconds: nanoseconds)))
  }

  @Test("what is no time is refused, and Go's zero time is none")
  func noTimes() {
    #expect(GoTime.parse(GoTime.zero) == .some(nil))
    for text in ["", "2019-02-07", "2019-13-07T22:33:38Z", "2019-02-07T22:33:38", "2019-02-07T22:33:38.Z", "x"] {
      #expect(GoTime.parse(text) == nil)
    }
  }
}
