/// Builds a ``Value`` from events: anchors, aliases, merge keys and the limits are here.
struct YAMLComposer {
  private typealias Place = YAMLEvents.Place

  private struct Anchored {
    let value: Value
    /// How many nodes it is made of, aliases inside it multiplied out.
    let nodes: Int
  }

  private let events: YAMLEvents
  private let file: String
  private let options: YAML.Options
  private var anchors: [String: Anchored] = [:]
  private var nodes = 0

  init(events: YAMLEvents, file: String, options: YAML.Options) {
    self.events = events
    self.file = file
    self.options = options
  }

  mutating func document() throws -> Value {
    while true {
      let (event, place) = try events.next()
      switch event {
      case .documentStart:
        let (first, begin) = try events.next()
        let value = try node(first, begin, depth: 0)
        // Reads to the end of the document, so that what follows the first node is checked, too.
        _ = try events.next()
        return value
      case .streamEnd: return .null
      default: throw error(.invalid, place, "unexpected content before the document")
      }
    }
  }

  private func error(_ code: DroverError.Code, _ place: Place, _ text: String) -> DroverError {
    DroverError(code, "\(file) line \(place.line) column \(place.column): \(text)")
  }

  private mutating func count(_ added: Int, _ place: Place) throws {
    let (sum, overflow) = nodes.addingReportingOverflow(added)
    guard !overflow, sum <= options.maximumNodes else {
      throw error(.tooLarge, place, "more than \(options.maximumNodes) values, with aliases multiplied out")
    }
    nodes = sum
  }

  private mutating func node(_ event: YAMLEvents.Event, _ place: Place, depth: Int) throws -> Value {
    let before = nodes
    let anchor: String?
    let value: Value
    switch event {
    case .alias(let name):
      guard let anchored = anchors[name] else { throw error(.invalid, place, "unknown anchor '\(name)'") }
      try count(anchored.nodes, place)
      return anchored.value
    case .scalar(let text, let tag, let name, let plain):
      try count(1, place)
      anchor = name
      do {
        value = try YAMLScalar.value(text, tag: tag, plain: plain)
      } catch {
        throw self.error(.invalid, place, "\(error)")
      }
    case .sequenceStart(let name):
      anchor = name
      value = try sequence(place, depth: depth + 1)
    case .mappingStart(let name):
      anchor = name
      value = try mapping(place, depth: depth + 1)
    default: throw error(.invalid, place, "expected a value")
    }
    if let anchor { anchors[anchor] = Anchored(value: value, nodes: nodes - before) }
    return value
  }

  private mutating func enter(_ place: Place, depth: Int) throws {
    try count(1, place)
    guard depth <= options.maximumDepth else {
      throw error(.tooLarge, place, "nested deeper than \(options.maximumDepth) levels")
    }
  }

  private mutating func sequence(_ place: Place, depth: Int) throws -> Value {
    try enter(place, depth: depth)
    var elements: [Value] = []
    while true {
      let (event, begin) = try events.next()
      if case .sequenceEnd = event { return .array(elements) }
      elements.append(try node(event, begin, depth: depth))
    }
  }

  private mutating func mapping(_ place: Place, depth: Int) throws -> Value {
    try enter(place, depth: depth)
    var object = ValueObject()
    var lines: [String: Int] = [:]
    while true {
      let (event, begin) = try events.next()
      if case .mappingEnd = event { return .object(object) }
      let (key, mayMerge) = try key(event, begin, depth: depth)
      let (content, contentBegin) = try events.next()
      let value = try node(content, contentBegin, depth: depth)
      if mayMerge, let merged = Self.merged(value, into: object) {
        object = merged
        continue
      }
      if options.duplicateKeys == .refused, let line = lines.updateValue(begin.line, forKey: key) {
        throw error(.invalid, begin, "key '\(key)' is there already, in line \(line)")
      }
      object[key] = value
    }
  }

  /// A key's text. A key that is no string keeps the spelling it was written with.
  private mutating func key(_ event: YAMLEvents.Event, _ place: Place, depth: Int) throws -> (String, mayMerge: Bool) {
    switch event {
    case .scalar(let text, let tag, let anchor, _):
      try count(1, place)
      if let anchor { anchors[anchor] = Anchored(value: .string(text), nodes: 1) }
      return (text, text == "<<" && tag != YAMLScalar.stringTag)
    case .alias:
      guard let text = try node(event, place, depth: depth).scalarText else { break }
      return (text, false)
    default: break
    }
    throw error(.invalid, place, "a key must be a string, not a sequence or mapping")
  }

  /// The object with a mapping, or with a sequence of mappings of which the first ones count most, laid over it; nil
  /// when the value is neither, and so is an ordinary member named `<<`.
  private static func merged(_ value: Value, into object: ValueObject) -> ValueObject? {
    switch value {
    case .object(let members): return object.merging(members)
    case .array(let elements):
      var members = ValueObject()
      for element in elements.reversed() {
        guard let next = element.object else { return nil }
        members = members.merging(next)
      }
      return object.merging(members)
    default: return nil
    }
  }
}
