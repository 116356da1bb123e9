/// Builds a ``YAMLNode`` from events: anchors, aliases and the limits are here.
struct YAMLComposer {
  private typealias Place = YAMLEvents.Place

  private struct Anchored {
    let node: YAMLNode
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

  /// The first document; nil when there is none.
  mutating func document() throws -> YAMLNode? {
    while true {
      let (event, place) = try events.next()
      switch event {
      case .documentStart:
        let (first, begin) = try events.next()
        let node = try node(first, begin, depth: 0)
        // Reads to the end of the document, so that what follows the first node is checked, too.
        _ = try events.next()
        return node
      case .streamEnd: return nil
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

  private mutating func node(_ event: YAMLEvents.Event, _ place: Place, depth: Int) throws -> YAMLNode {
    let before = nodes
    let anchor: String?
    let content: YAMLNode.Content
    switch event {
    case .alias(let name):
      guard let anchored = anchors[name] else { throw error(.invalid, place, "unknown anchor '\(name)'") }
      try count(anchored.nodes, place)
      return anchored.node
    case .scalar(let text, let tag, let name, let plain):
      try count(1, place)
      anchor = name
      content = .scalar(.init(text: text, tag: tag, isPlain: plain))
    case .sequenceStart(let name):
      anchor = name
      content = .sequence(try sequence(place, depth: depth + 1))
    case .mappingStart(let name):
      anchor = name
      content = .mapping(try mapping(place, depth: depth + 1))
    default: throw error(.invalid, place, "expected a value")
    }
    let node = YAMLNode(content: content, line: place.line, column: place.column)
    if let anchor { anchors[anchor] = Anchored(node: node, nodes: nodes - before) }
    return node
  }

  private mutating func enter(_ place: Place, depth: Int) throws {
    try count(1, place)
    guard depth <= options.maximumDepth else {
      throw error(.tooLarge, place, "nested deeper than \(options.maximumDepth) levels")
    }
  }

  private mutating func sequence(_ place: Place, depth: Int) throws -> [YAMLNode] {
    try enter(place, depth: depth)
    var elements: [YAMLNode] = []
    while true {
      let (event, begin) = try events.next()
      if case .sequenceEnd = event { return elements }
      elements.append(try node(event, begin, depth: depth))
    }
  }

  private mutating func mapping(_ place: Place, depth: Int) throws -> [YAMLNode.Member] {
    try enter(place, depth: depth)
    var members: [YAMLNode.Member] = []
    var lines: [String: Int] = [:]
    while true {
      let (event, begin) = try events.next()
      if case .mappingEnd = event { return members }
      let (key, mayMerge) = try key(event, begin, depth: depth)
      let (content, contentBegin) = try events.next()
      let value = try node(content, contentBegin, depth: depth)
      let isMerge = mayMerge && value.mergeSources != nil
      if !isMerge, options.duplicateKeys == .refused, let line = lines.updateValue(begin.line, forKey: key) {
        throw error(.invalid, begin, "key '\(key)' is there already, in line \(line)")
      }
      members.append(.init(key: key, line: begin.line, column: begin.column, isMerge: isMerge, value: value))
    }
  }

  /// A key's text. A key that is no string keeps the spelling it was written with.
  private mutating func key(_ event: YAMLEvents.Event, _ place: Place, depth: Int) throws -> (String, mayMerge: Bool) {
    switch event {
    case .scalar(let text, let tag, let anchor, _):
      try count(1, place)
      if let anchor {
        let scalar = YAMLNode.Scalar(text: text, tag: YAMLScalar.stringTag, isPlain: false)
        let node = YAMLNode(content: .scalar(scalar), line: place.line, column: place.column)
        anchors[anchor] = Anchored(node: node, nodes: 1)
      }
      return (text, text == "<<" && tag != YAMLScalar.stringTag)
    case .alias:
      guard let text = try node(event, place, depth: depth).value(file: file).scalarText else { break }
      return (text, false)
    default: break
    }
    throw error(.invalid, place, "a key must be a string, not a sequence or mapping")
  }
}
