import Formats

/// `.bosh/links.json`: the links that a job provides, sorted by group, indented, with a newline at the end.
enum LinksFile {
  static func content(_ links: [ProvidedLink]) -> [UInt8] {
    let entries = links.enumerated()
      .sorted { ($0.element.group, $0.offset) < ($1.element.group, $1.offset) }
      .map {
        Value.object([
          "name": .string($0.element.name), "type": .string($0.element.type), "group": .string($0.element.group),
        ])
      }
    return JSON.bytes(.array(entries), .pretty) + [UInt8(ascii: "\n")]
  }
}
