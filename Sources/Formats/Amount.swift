/// A number of instances, or a share of them: what `canaries` and `max_in_flight` say (`2`, `"10%"`).
public enum Amount: Sendable, Hashable, CustomStringConvertible {
  case count(Int)
  case percent(Int)

  /// A whole number, not negative, or a percentage between 0 % and 100 %.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    let number = text.hasSuffix("%") ? text.dropLast() : text[...]
    guard let value = Int(number), value >= 0, !number.hasPrefix("+"), !number.hasPrefix("-") else {
      throw DroverError(.invalid, "'\(text)': expected a number such as 2 or a percentage such as \"10%\"")
    }
    guard text.hasSuffix("%") else {
      self = .count(value)
      return
    }
    guard value <= 100 else { throw DroverError(.invalid, "'\(text)': a percentage is between 0% and 100%") }
    self = .percent(value)
  }

  /// How many of `total` that is; percentages are rounded down.
  public func of(_ total: Int) -> Int {
    switch self {
    case .count(let count): count
    case .percent(let percent): total * percent / 100
    }
  }

  public var description: String {
    switch self {
    case .count(let count): String(count)
    case .percent(let percent): "\(percent)%"
    }
  }
}
