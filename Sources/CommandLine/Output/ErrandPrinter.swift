import Formats

/// Turns the lines of a task's errand output into what they stand for: bytes as the script wrote them when one instance
/// runs it, whole lines behind the instance's name when several do.
struct ErrandPrinter {
  enum Stream: Hashable { case output, errors }

  private struct Source: Hashable {
    let instance: String
    let stream: Stream
  }

  private let write: (_ bytes: [UInt8], _ stream: Stream) -> Void
  private var rest: [UInt8] = []
  /// What is written before a line of an instance; empty when lines are written as they are.
  private var labels: [String: String] = [:]
  private var partial: [Source: [UInt8]] = [:]

  init(write: @escaping (_ bytes: [UInt8], _ stream: Stream) -> Void) { self.write = write }

  mutating func take(_ bytes: [UInt8]) throws {
    rest += bytes
    var start = rest.startIndex
    while let end = rest[start...].firstIndex(of: 0x0A) {
      try takeLine(JSON.parse(Array(rest[start..<end])))
      start = end + 1
    }
    rest.removeSubrange(..<start)
  }

  /// Writes what had no end of line.
  mutating func end() {
    for (source, bytes) in partial.sorted(by: { $0.key.instance < $1.key.instance }) where !bytes.isEmpty {
      write(Array(label(source).utf8) + bytes + [0x0A], source.stream)
    }
    partial = [:]
  }

  private mutating func takeLine(_ line: Value) throws {
    if let instances = line["instances"]?.array { return begin(instances) }
    if let gap = line["gap"]?.int {
      let notice =
        "\(line["stream"]?.string ?? ""): \(ByteSize(bytes: gap)) from byte \(line["offset"]?.int ?? 0) on are left out: "
        + "the output is longer than its limit"
      return write(Array("\(labels[line["instance"]?.string ?? ""] ?? "")[\(notice)]\n".utf8), .errors)
    }
    guard let data = line["data"]?.string.flatMap(Base64.decode) else { return }
    let source = Source(
      instance: line["instance"]?.string ?? "", stream: line["stream"]?.string == "stderr" ? .errors : .output)
    guard !labels.isEmpty else { return write(data, source.stream) }
    var bytes = partial[source] ?? []
    var shown: [UInt8] = []
    bytes += data
    var start = bytes.startIndex
    while let end = bytes[start...].firstIndex(of: 0x0A) {
      shown += Array(label(source).utf8) + bytes[start...end]
      start = end + 1
    }
    partial[source] = Array(bytes[start...])
    if !shown.isEmpty { write(shown, source.stream) }
  }

  private mutating func begin(_ instances: [Value]) {
    guard instances.count > 1 else { return }
    for instance in instances {
      guard let name = instance["name"]?.string else { continue }
      let group = name.split(separator: "/").first.map(String.init) ?? name
      labels[name] = instance["index"]?.int.map { "\(group)/\($0)" } ?? name
    }
    let width = labels.values.map(\.utf8.count).max() ?? 0
    labels = labels.mapValues { $0 + String(repeating: " ", count: width - $0.utf8.count) + " | " }
  }

  private func label(_ source: Source) -> String { labels[source.instance] ?? "\(source.instance) | " }
}
