import CYAML

/// libyaml's events as values; the only place that touches the C library.
struct YAMLEvents {
  /// A line and a column, both from 1.
  struct Place: Sendable {
    let line: Int
    let column: Int

    init(_ mark: yaml_mark_t) {
      line = Int(mark.line) + 1
      column = Int(mark.column) + 1
    }
  }

  enum Event {
    case documentStart
    case documentEnd
    case streamEnd
    case alias(String)
    case scalar(text: String, tag: String?, anchor: String?, plain: Bool)
    case sequenceStart(anchor: String?)
    case sequenceEnd
    case mappingStart(anchor: String?)
    case mappingEnd
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let file: String

  /// Runs `body` over the events of these bytes.
  static func reading<T>(_ bytes: [UInt8], file: String, _ body: (YAMLEvents) throws -> T) throws -> T {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else {
      throw DroverError(.failed, "\(file): libyaml has no memory for a parser")
    }
    defer { yaml_parser_delete(parser) }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    return try bytes.withUnsafeBufferPointer { buffer in
      yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
      return try body(YAMLEvents(parser: parser, file: file))
    }
  }

  /// The next event that matters and where it begins.
  func next() throws -> (Event, Place) {
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(parser, &event) == 1 else { throw error() }
      defer { yaml_event_delete(&event) }
      if let translated = translate(event) { return (translated, Place(event.start_mark)) }
    }
  }

  private func translate(_ event: yaml_event_t) -> Event? {
    switch event.type {
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_STREAM_END_EVENT: return .streamEnd
    case YAML_ALIAS_EVENT: return .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      return .scalar(
        text: String(decoding: bytes, as: UTF8.self), tag: text(scalar.tag), anchor: text(scalar.anchor),
        plain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
    case YAML_SEQUENCE_START_EVENT: return .sequenceStart(anchor: text(event.data.sequence_start.anchor))
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_MAPPING_START_EVENT: return .mappingStart(anchor: text(event.data.mapping_start.anchor))
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    default: return nil
    }
  }

  private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }

  private func error() -> DroverError {
    let state = parser.pointee
    let problem = state.problem.map { String(cString: $0) } ?? "cannot be read"
    switch state.error {
    case YAML_READER_ERROR:
      return DroverError(.invalid, "\(file): \(problem) at byte \(state.problem_offset); write the file in UTF-8")
    case YAML_MEMORY_ERROR:
      return DroverError(.tooLarge, "\(file): not enough memory to read it")
    default:
      let place = Place(state.problem_mark)
      var message = "\(file) line \(place.line) column \(place.column): \(problem)"
      if let context = state.context.map({ String(cString: $0) }) {
        message += ", \(context)"
        let begin = Place(state.context_mark)
        if begin.line != place.line || begin.column != place.column { message += " that begins in line \(begin.line)" }
      }
      return DroverError(.invalid, message)
    }
  }
}
