/// Finds the commands, loops and functions of a shell script from its words.
struct ShellParser {
  private struct Case {
    var pattern: [String] = []
    var wantsPattern = true
  }

  private(set) var commands: [ShellCommand] = []
  private(set) var loops: [ShellLoop] = []
  private(set) var functions: Set<String> = []
  private var current = ShellCommand()
  private var keyword: String?
  private var previous = ""
  private var cases: [Case] = []
  private var openLoops: [(kind: String, line: Int, start: Int)] = []
  private var openFunctions: [(name: String, depth: Int)] = []
  private var pendingFunction: String?
  private var depth = 0
  private var header: String?

  init(_ text: String, line: Int = 1) {
    let tokens = ShellLexer.tokens(text, line: line)
    var index = 0
    while index < tokens.count {
      take(tokens[index], next: index + 1 < tokens.count ? tokens[index + 1] : nil, &index)
      index += 1
    }
    while !openLoops.isEmpty { closeLoop() }
  }

  private mutating func take(_ token: ShellToken, next: ShellToken?, _ index: inout Int) {
    if takesPattern(token) { return }
    switch token.kind {
    case .redirect:
      guard let next, next.kind == .word else { return }
      if current.line == 0 { current.line = token.line }
      current.redirects.append(.init(sign: token.text, target: next.text))
      inner(next)
      index += 1
    case .sign: sign(token, next: next, &index)
    case .word: word(token)
    }
  }

  private mutating func takesPattern(_ token: ShellToken) -> Bool {
    guard let last = cases.last, last.wantsPattern, header == nil else { return false }
    switch (token.kind, token.text) {
    case (.word, "esac"): cases.removeLast()
    case (.word, let text): cases[cases.count - 1].pattern.append(text)
    case (.sign, ")"): cases[cases.count - 1].wantsPattern = false
    default: break
    }
    return true
  }

  private mutating func sign(_ token: ShellToken, next: ShellToken?, _ index: inout Int) {
    if token.text == "(", current.words.count == 1, let next, next.kind == .sign, next.text == ")" {
      define(current.words[0])
      current = ShellCommand()
      index += 1
      return
    }
    if header == "function", token.text == "(" || token.text == ")" { return }
    finish(token.text)
    header = nil
    if token.text == ";;" || token.text == ";&", !cases.isEmpty { cases[cases.count - 1] = Case() }
  }

  private mutating func define(_ name: String) {
    pendingFunction = name
    functions.insert(name)
  }

  private mutating func word(_ token: ShellToken) {
    if let header {
      inner(token)
      switch header {
      case "case" where token.text == "in":
        self.header = nil
        cases.append(Case())
      case "function":
        self.header = nil
        define(token.text)
      case "for" where token.text == "do": self.header = nil
      default: break
      }
      return
    }
    if current.words.isEmpty, current.assignments.isEmpty, reserved(token) { return }
    if current.line == 0 { current.line = token.line }
    if current.words.isEmpty, Self.isAssignment(token.text) {
      current.assignments.append(token.text)
    } else {
      current.words.append(token.text)
    }
    inner(token)
  }

  private mutating func reserved(_ token: ShellToken) -> Bool {
    switch token.text {
    case "if", "elif", "!": keyword = token.text
    case "then", "else", "fi", "do", "time": keyword = nil
    case "while", "until":
      keyword = token.text
      openLoops.append((token.text, token.line, commands.count))
    case "for", "select":
      openLoops.append((token.text, token.line, commands.count))
      header = "for"
    case "done": closeLoop()
    case "case", "function": header = token.text
    case "esac": if !cases.isEmpty { cases.removeLast() }
    case "{":
      depth += 1
      if let name = pendingFunction { openFunctions.append((name, depth)) }
      pendingFunction = nil
    case "}":
      if openFunctions.last?.depth == depth { openFunctions.removeLast() }
      depth -= 1
    default: return false
    }
    return true
  }

  private mutating func closeLoop() {
    guard let loop = openLoops.popLast() else { return }
    loops.append(ShellLoop(kind: loop.kind, line: loop.line, commands: Array(commands[loop.start...])))
  }

  private mutating func finish(_ sign: String) {
    let isEmpty = current.words.isEmpty && current.assignments.isEmpty && current.redirects.isEmpty
    defer {
      current = ShellCommand()
      // After `&&` a line's end does not end anything.
      let goesOn = ["|", "|&", "&&", "||"].contains(sign)
      previous = goesOn ? sign : sign == "\n" && isEmpty ? previous : ""
    }
    guard !isEmpty else { return }
    place(&current)
    current.next = sign
    current.previous = previous
    current.keyword = keyword
    commands.append(current)
    if current.name == "trap", let handler = current.words.dropFirst().first(where: { !$0.hasPrefix("-") }) {
      add(ShellParser(handler, line: current.line).commands, isInner: false)
    }
    if keyword == "!" { keyword = nil }
  }

  private func place(_ command: inout ShellCommand) {
    command.branch = cases.first?.pattern ?? []
    command.function = openFunctions.first?.name
  }

  private mutating func inner(_ token: ShellToken) {
    for part in token.inner where !part.text.hasPrefix("(") {
      add(ShellParser(part.text, line: part.line).commands, isInner: true)
    }
  }

  private mutating func add(_ found: [ShellCommand], isInner: Bool) {
    commands += found.map { command in
      var command = command
      place(&command)
      command.isInner = command.isInner || isInner
      return command
    }
  }

  private static func isAssignment(_ word: String) -> Bool {
    guard let sign = word.firstIndex(of: "="), sign > word.startIndex else { return false }
    return word[..<sign].allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "+" }
  }
}
