import Formats

/// Writes the lines of a ``ManifestDiff``.
struct DiffWriter {
  let redacts: Bool
  private(set) var lines: [ManifestDiff.Line] = []

  init(redacts: Bool) { self.redacts = redacts }

  private static let order = [
    "azs", "vm_types", "vm_extensions", "resource_pools", "compilation", "networks", "disk_types", "name", "stemcells",
    "releases", "update", "jobs", "release", "addons", "variables",
  ]

  /// Top-level keys in their order, with a blank line between.
  mutating func sections(_ old: ValueObject, _ new: ValueObject) {
    let keys = Self.keys(old, new)
    let rest = keys.filter { !Self.order.contains($0) }
    for key in Self.order.filter(keys.contains) + rest {
      var section = DiffWriter(redacts: redacts)
      section.member(key, old[key], new[key], level: 0, hidden: false)
      guard !section.lines.isEmpty else { continue }
      if !lines.isEmpty { lines.append(.init("")) }
      lines += section.lines
    }
  }

  private static func keys(_ old: ValueObject, _ new: ValueObject) -> [String] {
    old.keys + new.keys.filter { old[$0] == nil }
  }

  private mutating func object(_ old: ValueObject, _ new: ValueObject, level: Int, hidden: Bool) {
    for key in Self.keys(old, new) { member(key, old[key], new[key], level: level, hidden: hidden) }
  }

  private mutating func member(_ key: String, _ old: Value?, _ new: Value?, level: Int, hidden: Bool) {
    guard old != new else { return }
    let inside = hidden || Self.hides(key)
    switch (old, new) {
    case (.object(let old)?, .object(let new)?) where !old.isEmpty && !new.isEmpty:
      write("\(key):", nil, level)
      object(old, new, level: level + 1, hidden: inside)
    case (.array(let old)?, .array(let new)?) where !old.isEmpty && !new.isEmpty:
      write("\(key):", nil, level)
      array(old, new, level: level, hidden: inside)
    default:
      if let old { write([key: old], .removed, level, hidden) }
      if let new { write([key: new], .added, level, hidden) }
    }
  }

  private mutating func array(_ old: [Value], _ new: [Value], level: Int, hidden: Bool) {
    guard let key = ["name", "alias", "range"].first(where: { Self.identifies($0, old) && Self.identifies($0, new) })
    else {
      unnamed(old, new, level: level, hidden: hidden)
      return
    }
    for element in old {
      guard let match = new.first(where: { $0[key] == element[key] }) else {
        write(.array([element]), .removed, level, hidden)
        continue
      }
      guard match != element, let before = element.object, let after = match.object else { continue }
      write(.array([.object([key: element[key] ?? .null])]), nil, level, hidden)
      object(before, after, level: level + 1, hidden: hidden)
    }
    for element in new where !old.contains(where: { $0[key] == element[key] }) {
      write(.array([element]), .added, level, hidden)
    }
  }

  /// Elements that are only on one side; all, when the lists differ in order alone.
  private mutating func unnamed(_ old: [Value], _ new: [Value], level: Int, hidden: Bool) {
    var added = new
    var removed: [Value] = []
    for element in old {
      if let index = added.firstIndex(of: element) { added.remove(at: index) } else { removed.append(element) }
    }
    if added.isEmpty && removed.isEmpty { (removed, added) = (old, new) }
    for element in removed { write(.array([element]), .removed, level, hidden) }
    for element in added { write(.array([element]), .added, level, hidden) }
  }

  private static func identifies(_ key: String, _ elements: [Value]) -> Bool {
    let names = elements.compactMap { $0[key]?.scalarText }
    return names.count == elements.count && Set(names).count == names.count
  }

  // MARK: Text

  private mutating func write(_ value: Value, _ change: ManifestDiff.Line.Change?, _ level: Int, _ hidden: Bool) {
    let shown = redacts ? Self.redacted(value, hidden: hidden) : value
    var text = YAML.text(shown)
    if text.hasSuffix("\n") { text.removeLast() }
    // As people know it, without the quotes that YAML would not need either.
    if redacts { text = text.replacing("\"\(Self.mask)\"", with: Self.mask) }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { write(String(line), change, level) }
  }

  private mutating func write(_ text: String, _ change: ManifestDiff.Line.Change?, _ level: Int) {
    lines.append(.init(String(repeating: "  ", count: level) + text, change))
  }

  // MARK: Redaction

  private static let mask = "<redacted>"

  private static func hides(_ key: String) -> Bool { key == "properties" || key == "bosh" }

  private static func redacted(_ value: Value, hidden: Bool) -> Value {
    switch value {
    case .object(let object):
      .object(ValueObject(object.map { ($0.key, redacted($0.value, hidden: hidden || hides($0.key))) }))
    case .array(let elements): .array(elements.map { redacted($0, hidden: hidden) })
    case .string(let text): .string(hidden ? mask : withoutCredentials(text))
    default: hidden ? .string(mask) : value
    }
  }

  /// A URL without the part before its `@`.
  private static func withoutCredentials(_ text: String) -> String {
    guard let scheme = text.firstRange(of: "://") else { return text }
    let rest = text[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard let at = authority.lastIndex(of: "@") else { return text }
    return text[..<scheme.upperBound] + mask + rest[at...]
  }
}
