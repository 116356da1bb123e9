extension Duration {
  /// A duration as Go writes it: `1h30m`, `500ms`, `1.5s`, `0`; units `ns`, `us`, `µs`, `ms`, `s`, `m`, `h`.
  ///
  /// - Throws: ``DroverError`` with code `invalid`; a number without a unit is not allowed.
  public init(text: String) throws {
    func fail(_ why: String) -> DroverError {
      DroverError(.invalid, "duration '\(text)': \(why); expected something like 30s, 5m or 1h30m")
    }
    var rest = text[...]
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    if rest == "0" {
      self = .zero
      return
    }
    guard !rest.isEmpty else { throw fail("is empty") }
    var nanoseconds = 0.0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      guard let number = Double(digits) else { throw fail("has no number before '\(rest)'") }
      rest = rest[digits.endIndex...]
      let unit = rest.prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
      guard let size = Self.units[String(unit)] else {
        throw fail(unit.isEmpty ? "has no unit" : "unknown unit '\(unit)'")
      }
      nanoseconds += number * size
      rest = rest[unit.endIndex...]
    }
    guard nanoseconds < 9e18 else { throw fail("is too long") }
    self = .nanoseconds(Int64(isNegative ? -nanoseconds : nanoseconds))
  }

  private static let units: [String: Double] = [
    "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
  ]

  /// Whole seconds, rounded down.
  public var wholeSeconds: Int { Int(components.seconds) }

  /// Whole milliseconds, rounded down.
  public var wholeMilliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }

  /// For people: `0.3s`, `12s`, `4m05s`, `2h03m`, `3d04h`.
  public var shortText: String {
    let seconds = wholeSeconds
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if seconds < 10 { return "\(seconds).\(wholeMilliseconds % 1000 / 100)s" }
    if seconds < 60 { return "\(seconds)s" }
    if seconds < 3600 { return "\(seconds / 60)m\(two(seconds % 60))s" }
    if seconds < 86400 { return "\(seconds / 3600)h\(two(seconds % 3600 / 60))m" }
    return "\(seconds / 86400)d\(two(seconds % 86400 / 3600))h"
  }
}

extension FieldReader {
  /// A length of time, `10m` or a number of seconds, in whole seconds and at least one; nil when absent.
  public func optionalSeconds(_ name: String) throws -> Int? {
    guard let text = try optionalScalarText(name) else { return nil }
    let duration: Duration
    do {
      duration = try Int(text).map { .seconds($0) } ?? Duration(text: text)
    } catch {
      throw self.error(name, "\(error)")
    }
    guard duration >= .seconds(1) else { throw error(name, "expected at least one second, found '\(text)'") }
    // Ten years: what is added to a time of day has to be one, too.
    guard duration <= .seconds(87_600 * 3600) else { throw error(name, "expected at most 87600h, found '\(text)'") }
    return duration.wholeSeconds
  }
}
