import Formats
import Glibc

/// One thing that was measured.
struct Figure {
  /// What a figure is held against.
  enum Bound {
    case none
    case atMost(Double)
    case atLeast(Double)
  }

  let name: String
  let value: Double
  let unit: String
  var bound: Bound = .none
  /// What it was measured with or against, in the same run.
  var note = ""

  /// The value as a part of its bound, the way that 1.00 or less is within it.
  var ratio: Double? {
    switch bound {
    case .none: nil
    case .atMost(let limit): value / limit
    case .atLeast(let limit): limit / value
    }
  }

  var cells: [String] {
    let limit =
      switch bound {
      case .none: "-"
      case .atMost(let limit): "≤ \(Self.text(limit))"
      case .atLeast(let limit): "≥ \(Self.text(limit))"
      }
    return [name, "\(Self.text(value)) \(unit)", limit, ratio.map(Self.text) ?? "-", note]
  }

  var json: Value {
    var object = ValueObject([("name", .string(name)), ("value", .double(value)), ("unit", .string(unit))])
    switch bound {
    case .none: break
    case .atMost(let limit): object["at_most"] = .double(limit)
    case .atLeast(let limit): object["at_least"] = .double(limit)
    }
    if !note.isEmpty { object["note"] = .string(note) }
    return .object(object)
  }

  /// Three significant digits, whole numbers from 100 on.
  static func text(_ value: Double) -> String {
    let digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
    let scale = [1.0, 10, 100][digits]
    let rounded = (value * scale).rounded() / scale
    guard digits > 0 else { return "\(Int(rounded))" }
    var text = "\(rounded)"
    let decimals = text.split(separator: ".").last?.count ?? 0
    text += String(repeating: "0", count: max(0, digits - decimals))
    return text
  }
}

/// Figures as they come, so that those of a group are there whatever becomes of the next one.
struct FigureReport {
  let isJSON: Bool
  private var figures: [Figure] = []

  init(isJSON: Bool) { self.isJSON = isJSON }

  /// Prints the figures of a group in columns. JSON is one document, and printed at the end.
  mutating func add(_ more: [Figure]) {
    if !isJSON { print((figures.isEmpty ? "" : "\n") + FigureTable.text(more)) }
    figures += more
    fflush(nil)
  }

  func end() {
    if isJSON { print(JSON.text(.array(figures.map(\.json)), .pretty)) }
  }
}

/// Figures, in columns.
enum FigureTable {
  static let header = ["figure", "measured", "budget", "of budget", "how"]

  static func text(_ figures: [Figure]) -> String {
    let rows = [header] + figures.map(\.cells)
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        .trimmingSuffix(" ")
    }.joined(separator: "\n")
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self[...]
    while text.last == character { text.removeLast() }
    return String(text)
  }
}
