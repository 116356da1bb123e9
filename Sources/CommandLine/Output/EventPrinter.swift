import Formats
import Surroundings
import Synchronization

/// Prints the event lines of a task as they come, in the way of the stock CLI: a step that ends before anything else
/// happens is one line.
struct EventPrinter {
  let task: Int
  let write: (String) -> Void
  private var rest: [UInt8] = []
  private var starts: [String: Int] = [:]
  /// The step whose line has no end yet.
  private var open: String?

  init(task: Int, write: @escaping (String) -> Void = { Console.write(Array($0.utf8), to: 2) }) {
    self.task = task
    self.write = write
  }

  mutating func take(_ bytes: [UInt8]) throws {
    rest += bytes
    while let end = rest.firstIndex(of: 0x0A) {
      let line = Array(rest[..<end])
      rest.removeSubrange(...end)
      show(try JSON.parse(line))
    }
  }

  /// Ends the last line. To be called when nothing more comes.
  mutating func end() {
    if open != nil { write("\n") }
    open = nil
  }

  private mutating func show(_ event: Value) {
    let time = event["time"]?.int ?? 0
    let clock = String(Timestamp(seconds: time).text.dropFirst(11).prefix(8))
    let prefix = "Task \(task) | \(clock) |"
    if let error = event["error"]?["message"]?.string { return line("\(prefix) Error: \(error)") }
    if let message = event["message"]?.string { return line("\(prefix) Warning: \(message)") }
    guard let stage = event["stage"]?.string, let name = event["task"]?.string, let state = event["state"]?.string
    else { return }
    let tags = (event["tags"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
    let title = "\(stage)\(tags.isEmpty ? "" : " \(tags)"): \(name)"
    let duration = Self.duration(time - (starts[title] ?? time))
    switch state {
    case "started":
      starts[title] = time
      end()
      write("\(prefix) \(title)")
      // What an errand prints is not to stand behind this.
      if stage == "Running errand" { write("\n") } else { open = title }
    case "finished" where open == title:
      open = nil
      write(" (\(duration))\n")
    case "finished": line("\(prefix) \(title) (\(duration))")
    case "failed":
      line("\(prefix) \(title) (\(duration))")
      line("\(String(repeating: " ", count: prefix.count)) L Error: \(event["data"]?["error"]?.string ?? "failed")")
    case "in_progress":
      if let status = event["data"]?["status"]?.string { line("\(prefix)  L \(status): \(name)") }
    default: break
    }
  }

  private mutating func line(_ text: String) {
    end()
    write("\(text)\n")
  }

  static func duration(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
  }
}

/// An event printer beside which others print on the same terminal: they end its line before.
final class SharedEventPrinter: Sendable {
  private let printer: Mutex<EventPrinter>

  init(task: Int) { printer = Mutex(EventPrinter(task: task)) }

  func take(_ bytes: [UInt8]) throws { try printer.withLock { try $0.take(bytes) } }
  func end() { printer.withLock { $0.end() } }

  /// Ends the line, and lets others print before anything else is printed here.
  func beside(_ print: () -> Void) {
    printer.withLock { printer in
      printer.end()
      print()
    }
  }
}
