import Formats

/// Reads the services of a control file from its words.
struct ControlFileParser {
  let tokens: [ControlFileToken]
  let file: String
  var position = 0

  init(tokens: [ControlFileToken], file: String) {
    self.tokens = tokens
    self.file = file
  }

  mutating func services() throws -> [ServiceDefinition] {
    var services: [ServiceDefinition] = []
    while current != nil {
      guard take("check") else { throw unexpected("'check' and what: process, file, directory, device, host, system") }
      services.append(try service())
    }
    return services
  }

  // MARK: Words

  var current: ControlFileToken? { position < tokens.count ? tokens[position] : nil }

  /// What is wrong with a word, or after the last one.
  func mistake(_ token: ControlFileToken?, _ text: String, _ code: DroverError.Code = .invalid) -> DroverError {
    guard let token = token ?? tokens.last else { return DroverError(code, "\(file): \(text)") }
    return DroverError(code, "\(file) line \(token.line), column \(token.column): \(text)")
  }

  func unexpected(_ allowed: String) -> DroverError {
    if let current { return mistake(current, "found \(current.description); expected \(allowed)") }
    return mistake(tokens.last, "the file ends after this; expected \(allowed)")
  }

  /// Takes the word if it is this one.
  mutating func take(_ keyword: String) -> Bool {
    guard current?.keyword == keyword else { return false }
    position += 1
    return true
  }

  /// Takes the word if it is one of these, and says which.
  mutating func take(oneOf keywords: some Sequence<String>) -> String? {
    guard let keyword = current?.keyword, keywords.contains(keyword) else { return nil }
    position += 1
    return keyword
  }

  mutating func text(_ expected: String) throws -> String {
    guard let current, current.kind != .sign, !current.text.isEmpty else { throw unexpected(expected) }
    position += 1
    return current.text
  }

  mutating func name(_ expected: String) throws -> String {
    if let current, current.kind == .word, Self.statements.contains(current.text.lowercased()) {
      throw unexpected(expected)
    }
    return try text(expected)
  }

  /// A number and the unit that is written right after it, if any.
  mutating func number(_ expected: String) throws -> (value: Double, unit: String) {
    guard let current, current.kind == .word else { throw unexpected(expected) }
    let digits = current.text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let value = Double(digits), value.isFinite else { throw unexpected(expected) }
    position += 1
    return (value, current.text.dropFirst(digits.count).lowercased())
  }

  mutating func wholeNumber(_ expected: String) throws -> Int {
    let start = position
    let (value, unit) = try number(expected)
    guard unit.isEmpty, value == value.rounded(), value <= 1_000_000_000 else {
      position = start
      throw unexpected(expected)
    }
    return Int(value)
  }

  /// `timeout N seconds`, after the word timeout.
  mutating func timeout() throws -> Duration {
    let seconds = try wholeNumber("a number of seconds")
    _ = take(oneOf: ["second", "seconds", "s"])
    return .seconds(seconds)
  }

  // MARK: Services

  private static let statements: Set<String> = ["check", "start", "stop", "if", "group", "depends", "depend", "mode"]

  private mutating func service() throws -> ServiceDefinition {
    let place = "\(file) line \(current?.line ?? 1)"
    let kinds = ["process", "file", "directory", "device", "filesystem", "host", "system"]
    let refused = ["fifo", "network"]
    if let keyword = current?.keyword, refused.contains(keyword), position + 1 < tokens.count,
      tokens[position + 1].kind != .sign, tokens[position + 1].keyword != "pidfile"
    {
      throw mistake(
        current, "'check \(keyword)' is not supported; supported are \(kinds.joined(separator: ", "))", .unsupported)
    }
    let kind = take(oneOf: kinds) ?? "process"
    var service = ServiceDefinition(
      name: try serviceName(), kind: try self.kind(kind), place: place)
    while let current, current.keyword != "check" { try statement(&service) }
    return service
  }

  /// A name goes into lists that people and scripts read line by line.
  private mutating func serviceName() throws -> String {
    let start = position
    let name = try name("the name of a service")
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && !"'\"/<>&".utf8.contains($0) }) else {
      position = start
      throw unexpected("a name of a service without blanks, quotes, '/', '<', '>' and '&'")
    }
    return name
  }

  private mutating func kind(_ kind: String) throws -> ServiceDefinition.Kind {
    switch kind {
    case "system": return .system
    case "process":
      if take("matching") { return .processMatching(pattern: try pattern("what the command line has")) }
      guard take("pidfile") else { throw unexpected("'with pidfile PATH' or 'matching REGEX'") }
      return .process(pidfile: try path())
    case "host":
      guard take("address") else { throw unexpected("'with address ADDRESS'") }
      return .host(address: try text("an address"))
    default:
      guard take("path") else { throw unexpected("'with path PATH'") }
      let path = try path()
      return kind == "file" ? .file(path: path) : kind == "directory" ? .directory(path: path) : .device(path: path)
    }
  }

  private mutating func path() throws -> String {
    guard let current, current.kind != .sign, current.text.hasPrefix("/") else { throw unexpected("an absolute path") }
    position += 1
    return current.text
  }

  /// A regular expression, in quotes or as a word.
  mutating func pattern(_ expected: String, hasEscapes: Bool = false) throws -> String {
    let token = current
    var text = try text("\(expected), as a regular expression")
    if hasEscapes { text = String(decoding: ControlFileEscapes.bytes(text), as: UTF8.self) }
    do {
      return try RegularExpression(text).text
    } catch {
      throw mistake(token, "\(token?.description ?? "") is no regular expression: \(error)")
    }
  }

  private mutating func statement(_ service: inout ServiceDefinition) throws {
    let line = current?.line ?? 1
    if take("start") {
      service.start = try program(service.start, "start")
    } else if take("stop") {
      service.stop = try program(service.stop, "stop")
    } else if take("group") {
      service.groups.append(try name("the name of a group"))
    } else if take(oneOf: ["depends", "depend"]) != nil {
      repeat { service.dependencies.append(try name("the name of a service")) } while isName
    } else if take("if") {
      service.tests.append(try test(line, service.kind))
    } else if take("mode") {
      guard take("active") else {
        throw mistake(current, "of the modes, only 'active' is supported", .unsupported)
      }
    } else {
      throw unexpected("start, stop, group, depends, if, mode, or the next check")
    }
  }

  /// Whether a further name of a list follows.
  private var isName: Bool {
    guard let current, current.kind != .sign else { return false }
    return current.kind == .quoted || !Self.statements.contains(current.text.lowercased())
  }

  private mutating func program(_ earlier: ServiceProgram?, _ which: String) throws -> ServiceProgram {
    if earlier != nil {
      position -= 1
      throw mistake(current, "the service has a \(which) program already")
    }
    if current?.text == "=" { position += 1 }
    var program = ServiceProgram(try command("the \(which) program"))
    while true {
      if take("uid") {
        program.user = try name("a user")
      } else if take("gid") {
        program.group = try name("a group")
      } else if take("timeout") {
        program.timeout = try timeout()
      } else {
        return program
      }
    }
  }

  /// A program and its arguments: in quotes, split at blanks (a single-quoted argument may hold some), or one bare path.
  mutating func command(_ what: String) throws -> [String] {
    let start = position
    let arguments = Self.split(try text("\(what), in quotes"))
    guard let program = arguments.first, program.hasPrefix("/") else {
      position = start
      throw unexpected("\(what) by its absolute path")
    }
    return arguments
  }

  static func split(_ text: String) -> [String] {
    var arguments: [String] = []
    var word: String?
    var inQuotes = false
    for character in text {
      if character == "'" {
        inQuotes.toggle()
        word = word ?? ""
      } else if character.isWhitespace, !inQuotes {
        if let finished = word { arguments.append(finished) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let finished = word { arguments.append(finished) }
    return arguments
  }
}
