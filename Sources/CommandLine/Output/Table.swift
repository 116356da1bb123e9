import Formats

/// Rows for people, or for programs as JSON with the same columns.
struct Table {
  var title: String
  var columns: [String]
  var rows: [[String]]

  init(_ title: String, _ columns: [String], _ rows: [[String]]) {
    self.title = title
    self.columns = columns
    self.rows = rows
  }

  /// Columns two blanks apart, under their names. A cell of several lines makes its row so high.
  var text: String {
    let lines = rows.flatMap(Self.lines)
    let widths = columns.indices.map { column in
      ([columns[column]] + lines.map { $0[column] }).map(\.count).max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return padded.joined(separator: "  ").trimmingEnd()
    }
    let count = "\(rows.count) \(title)"
    return ([line(columns)] + lines.map(line) + ["", count]).joined(separator: "\n")
  }

  private static func lines(_ row: [String]) -> [[String]] {
    let cells = row.map { cell in
      var lines = cell.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      while lines.count > 1, lines.last == "" { lines.removeLast() }
      return lines
    }
    return (0..<(cells.map(\.count).max() ?? 0)).map { index in cells.map { $0.dropFirst(index).first ?? "" } }
  }

  /// An object per row, with the columns' names in lower case and underscores.
  var value: Value {
    let keys = columns.map { String($0.lowercased().map { $0 == " " ? "_" : $0 }) }
    return .array(rows.map { row in .object(ValueObject(zip(keys, row).map { ($0, Value.string($1)) })) })
  }

  func print(json: Bool) {
    if json { Console.printJSON(value) } else { Console.print(text) }
  }
}

extension String {
  fileprivate func trimmingEnd() -> String {
    var text = Substring(self)
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
