import Formats

/// Prints a difference as the server gives it: lines, each with `added`, `removed` or null.
enum DifferencePrinter {
  /// Returns whether anything differs. Lines that are the same are printed only beside those that are not.
  @discardableResult
  static func print(_ lines: [Value]) -> Bool {
    let changes = lines.map { line in (text: line[0]?.string ?? "", change: line[1]?.string) }
    guard changes.contains(where: { $0.change != nil }) else { return false }
    for (text, change) in changes {
      switch change {
      case "added": Console.remark(colored("+ \(text)", 32))
      case "removed": Console.remark(colored("- \(text)", 31))
      default: Console.remark("  \(text)")
      }
    }
    return true
  }

  private static func colored(_ text: String, _ color: Int) -> String {
    Console.errorIsTerminal ? "\u{1B}[\(color)m\(text)\u{1B}[0m" : text
  }
}
