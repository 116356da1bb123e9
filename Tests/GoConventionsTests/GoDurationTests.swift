import Formats
import GoConventions
import Testing

@Suite struct GoDurationTests {
  @Test(
    "durations are read as Go reads them",
    arguments: [
      ("0", 0), ("300ms", 300_000_000), ("1.5h", 5_400_000_000_000), ("2h45m", 9_900_000_000_000),
      ("-1s", -1_000_000_000),
      ("+5us", 5_000), ("1µs", 1_000), (".5s", 500_000_000), ("1.s", 1_000_000_000), ("-0", 0),
      ("2540400h10m10s", 9_145_440_610_000_000_000),
    ])
  func reads(text: String, nanoseconds: Int64) throws {
    #expect(try GoDuration.parse(text) == .nanoseconds(nanoseconds))
  }

  @Test(
    "what is no duration is refused in Go's words",
    arguments: [
      ("bogus", #"time: invalid duration "bogus""#), ("10", #"time: missing unit in duration "10""#),
      ("5x", #"time: unknown unit "x" in duration "5x""#), ("", #"time: invalid duration """#),
      ("-", #"time: invalid duration "-""#), (".s", #"time: invalid duration ".s""#),
      ("3000000h", #"time: invalid duration "3000000h""#), ("1s ", #"time: unknown unit "s " in duration "1s ""#),
      ("☃\u{1}", #"time: invalid duration "\xe2\x98\x83\x01""#), ("\"\\", #"time: invalid duration "\"\\""#),
      ("99999999999999999999s", #"time: invalid duration "99999999999999999999s""#),
    ])
  func refuses(text: String, message: String) {
    #expect { try GoDuration.parse(text) } throws: { ($0 as? DroverError)?.message == message }
  }

  @Test(
    "durations are printed as Go prints them",
    arguments: [
      (1_200_000_000_000, "20m0s"), (0, "0s"), (1_500_000_000, "1.5s"), (250_000_000, "250ms"),
      (3_600_000_000_000, "1h0m0s"),
      (-90_000_000_000, "-1m30s"), (1_500, "1.5µs"), (7, "7ns"),
    ])
  func prints(nanoseconds: Int64, text: String) { #expect(GoDuration.text(.nanoseconds(nanoseconds)) == text) }
}
