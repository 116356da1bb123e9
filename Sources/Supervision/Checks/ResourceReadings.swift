/// What was measured in one cycle; nil is not known (yet).
struct ResourceReadings: Sendable, Hashable {
  /// An amount and its share of the whole, in percent. Amounts of memory and disk are in bytes.
  struct Amount: Sendable, Hashable {
    var value: Double?
    var percent: Double?
  }

  var amounts: [ServiceTest.Resource: Amount] = [:]

  /// Whether a limit is exceeded, and how that is said.
  func outcome(
    _ resource: ServiceTest.Resource, _ comparison: ServiceTest.Comparison, _ limit: Double, _ unit: ServiceTest.Unit
  ) -> ServiceTests.Outcome {
    let amount = amounts[resource]
    guard let measured = unit == .percent ? amount?.percent : amount?.value else { return .unknown }
    guard comparison.holds(measured, limit) else { return .passed }
    let text: (Double) -> String = { Self.text($0, resource, unit) }
    if resource == .age { return .failed("timestamp test failed: changed \(text(measured)) ago") }
    var name = resource.rawValue
    if [.memory, .totalMemory, .swap].contains(resource) {
      name += unit == .percent && resource != .totalMemory ? " usage" : " amount"
    }
    return .failed(
      "\(name) of \(text(measured)) matches resource limit [\(name)\(comparison.rawValue)\(text(limit))]")
  }

  private static func text(
    _ value: Double, _ resource: ServiceTest.Resource, _ unit: ServiceTest.Unit
  ) -> String {
    switch (resource, unit) {
    case (_, .percent): "\(tenths(value))%"
    case (.load1, _), (.load5, _), (.load15, _): tenths(value)
    case (.size, _): "\(whole(value)) B"
    case (.age, _): "\(whole(value)) s"
    case (_, .bytes): "\(whole(value / 1024))kB"
    default: whole(value)
    }
  }

  private static func whole(_ value: Double) -> String { Int(exactly: value.rounded()).map(String.init) ?? "\(value)" }

  /// With one digit after the point.
  static func tenths(_ value: Double) -> String { decimal(value, digits: 1) }

  static func decimal(_ value: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
    guard let scaled = Int(exactly: (abs(value) * Double(scale)).rounded()) else { return "\(value)" }
    let fraction = String(scaled % scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return "\(sign)\(scaled / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }
}
