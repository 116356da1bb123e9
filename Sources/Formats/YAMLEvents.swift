import CYAML

/// libyaml's events as values; the only place that touches the C library.
struct YAMLEvents {
  /// A line and a column, both from 1.
  struct Place: Sendable {
    let line: Int
    let column: Int

    init(_ mark: drover_yaml_mark) {
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

  private let parser: OpaquePointer
  private let file: String

  /// Runs `body` over the events of these bytes.
  static func reading<T>(_ bytes: [UInt8], file: String, _ body: (YAMLEvents) throws -> T) throws -> T {
    try bytes.withUnsafeBufferPointer { buffer in
      guard let parser = drover_yaml_open(buffer.baseAddress, UInt(buffer.count)) else {
        throw DroverError(.failed, "\(file): libyaml has no memory for a parser")
      }
      defer { drover_yaml_close(parser) }
      return try body(YAMLEvents(parser: parser, file: file))
    }
  }

  /// The next event that matters and where it begins.
  func next() throws -> (Event, Place) {
    while true {
      var event = drover_yaml_event()
      guard drover_yaml_next(parser, &event) == 1 else { throw error() }
      if let translated = translate(event) { return (translated, Place(event.start)) }
    }
  }

  private func translate(_ event: drover_yaml_event) -> Event? {
    switch event.kind {
    case DROVER_YAML_DOCUMENT_START: return .documentStart
    case DROVER_YAML_DOCUMENT_END: return .documentEnd
    case DROVER_YAML_STREAM_END: return .streamEnd
    case DROVER_YAML_ALIAS: return .alias(text(event.anchor) ?? "")
    case DROVER_YAML_SCALAR:
      let bytes = UnsafeBufferPointer(start: event.text, count: Int(event.length))
      return .scalar(
        text: String(decoding: bytes, as: UTF8.self), tag: text(event.tag), anchor: text(event.anchor),
        plain: event.plain != 0)
    case DROVER_YAML_SEQUENCE_START: return .sequenceStart(anchor: text(event.anchor))
    case DROVER_YAML_SEQUENCE_END: return .sequenceEnd
    case DROVER_YAML_MAPPING_START: return .mappingStart(anchor: text(event.anchor))
    case DROVER_YAML_MAPPING_END: return .mappingEnd
    default: return nil
    }
  }

  private func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }

  private func error() -> DroverError {
    let found = drover_yaml_problem(parser)
    let problem = text(found.problem) ?? "cannot be read"
    switch found.kind {
    case DROVER_YAML_READER_ERROR:
      return DroverError(.invalid, "\(file): \(problem) at byte \(found.offset); write the file in UTF-8")
    case DROVER_YAML_MEMORY_ERROR:
      return DroverError(.tooLarge, "\(file): not enough memory to read it")
    default:
      let place = Place(found.mark)
      var message = "\(file) line \(place.line) column \(place.column): \(problem)"
      if let context = text(found.context) {
        message += ", \(context)"
        let begin = Place(found.context_mark)
        if begin.line != place.line || begin.column != place.column { message += " that begins in line \(begin.line)" }
      }
      return DroverError(.invalid, message)
    }
  }
}
