import Formats
import Surroundings

/// Prints the event lines of a task as they come, in the way of the stock CLI.
struct EventPrinter {
  let task: Int
  let write: (String) -> Void
  private var rest: [UInt8] = []
  private var starts: [String: Int] = [:]

  init(task: Int, write: @escaping (String) -> Void) {
    self.task = task
    self.write = write
  }

  mutating func take(_ bytes: [UInt8]) throws {
    rest += bytes
    while let end = rest.firstIndex(of: 0x0A) {
      let line = Array(rest[..<end])
      rest.removeSubrange(...end)
      if let text = text(of: try JSON.parse(line)) { write(text) }
    }
  }

  private mutating func text(of event: Value) -> String? {
    let time = event["time"]?.int ?? 0
    let clock = String(Timestamp(seconds: time).text.dropFirst(11).prefix(8))
    let prefix = "Task \(task) | \(clock) |"
    if let error = event["error"]?["message"]?.string { return "\(prefix) Error: \(error)" }
    if let message = event["message"]?.string { return "\(prefix) Warning: \(message)" }
    guard let stage = event["stage"]?.string, let name = event["task"]?.string, let state = event["state"]?.string
    else { return nil }
    let tags = (event["tags"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
    let title = "\(stage)\(tags.isEmpty ? "" : " \(tags)"): \(name)"
    switch state {
    case "started":
      starts[title] = time
      return "\(prefix) \(title)"
    case "finished":
      let seconds = time - (starts[title] ?? time)
      return "\(prefix) \(title) (\(Self.duration(seconds)))"
    case "failed":
      let seconds = time - (starts[title] ?? time)
      let error = event["data"]?["error"]?.string ?? "failed"
      return
        "\(prefix) \(title) (\(Self.duration(seconds)))\n\(String(repeating: " ", count: prefix.count)) L Error: \(error)"
    case "in_progress":
      guard let status = event["data"]?["status"]?.string else { return nil }
      return "\(prefix)  L \(status): \(name)"
    default: return nil
    }
  }

  static func duration(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
  }
}
