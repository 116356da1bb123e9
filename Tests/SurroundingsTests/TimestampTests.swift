import Surroundings
import Testing

@Suite struct TimestampTests {
  @Test(
    "The text is the date in UTC (checked with `date -u -d @SECONDS`)",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
      (1_709_164_799, "2024-02-28T23:59:59Z"), (1_795_262_684, "2026-11-21T12:04:44Z"),
      (4_107_542_400, "2100-03-01T00:00:00Z"), (-2_203_891_200, "1900-03-01T00:00:00Z"),
    ])
  func text(_ seconds: Int, _ expected: String) { #expect(Timestamp(seconds: seconds).text == expected) }

  @Test("A time that would be too far away is the last one that there is, or the first")
  func farAway() {
    let now = Timestamp(seconds: 1_795_262_684)
    let (last, first) = (Timestamp(nanoseconds: .max), Timestamp(nanoseconds: .min))
    for distance in [Duration.seconds(Int64.max), .seconds(9_000_000_000), .seconds(8_000_000_000)] {
      #expect(now + distance == last)
      #expect(Timestamp(seconds: -1_795_262_684) + (.zero - distance) == first)
    }
    #expect(now + .seconds(Int64.min) == first)
    #expect(Timestamp(seconds: .max) == last && Timestamp(seconds: .min) == first)
    #expect(last - first == .nanoseconds(Int64.max) - .nanoseconds(Int64.min))
    #expect(now + .milliseconds(-1500) == Timestamp(nanoseconds: 1_795_262_682_500_000_000))
    #expect(now + .seconds(3) - now == .seconds(3))
  }

  @Test("A UUID has its version and variant, whatever the bytes")
  func uuid() {
    #expect(Surroundings.uuidText([UInt8](repeating: 0xFF, count: 16)) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    #expect(Surroundings.uuidText([UInt8](repeating: 0, count: 16)) == "00000000-0000-4000-8000-000000000000")
  }

  @Test("Identifiers differ, and time goes on")
  func system() async throws {
    let system = Surroundings.system
    #expect(Set((0..<100).map { _ in system.identifier() }).count == 100)
    let start = system.elapsed()
    try await system.sleep(.milliseconds(2))
    #expect(system.elapsed() - start >= .milliseconds(2))
    #expect(system.now().seconds > 1_700_000_000)
  }
}
