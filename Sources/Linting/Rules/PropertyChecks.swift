internal import Releases

/// Properties and links: what templates ask for, and what the spec declares.
enum PropertyChecks {
  /// What a template asks for.
  struct Use: Hashable {
    let names: [String]
    let isDynamic: Bool
    let source: SourceText
    let line: Int
  }

  /// The calls of these functions in a job's templates and its monit file, with the texts they are given first.
  static func uses(_ functions: [String], in job: LintedJob) -> [Use] {
    let templates = job.templates.map { ($0.source, $0.erb) } + (job.monit.map { [($0, job.monitERB)] } ?? [])
    return templates.flatMap { source, erb in
      erb.tags.flatMap { tag in
        functions.flatMap { function in
          calls(function, in: tag.code).map { names, isDynamic, offset in
            Use(names: names, isDynamic: isDynamic, source: source, line: tag.line + offset)
          }
        }
      }
    }
  }

  /// Calls of a function without a receiver in Ruby code: the texts of its first argument, a text or an array of them
  /// (all texts for `if_p`), whether a text has something put in, and how many lines down it is.
  static func calls(_ function: String, in code: String) -> [(names: [String], isDynamic: Bool, line: Int)] {
    let bytes = Array(withoutComments(code).utf8)
    let name = Array(function.utf8)
    var found: [(names: [String], isDynamic: Bool, line: Int)] = []
    var line = 0
    var index = 0
    func isPartOfName(_ byte: UInt8) -> Bool {
      byte == 0x5F || (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
    while index < bytes.count {
      defer { index += 1 }
      if bytes[index] == 0x0A { line += 1 }
      guard bytes[index] == name[0], bytes[index...].starts(with: name) else { continue }
      let before = index > 0 ? bytes[index - 1] : 0x20
      guard !isPartOfName(before), !".@$:\"'".utf8.contains(before) else { continue }
      var next = index + name.count
      while next < bytes.count, bytes[next] == 0x20 { next += 1 }
      guard next < bytes.count, bytes[next] == UInt8(ascii: "(") || next > index + name.count else { continue }
      if bytes[next] == UInt8(ascii: "(") { next += 1 }
      let (names, isDynamic) = texts(bytes[next...], all: function == "if_p")
      if !names.isEmpty { found.append((names, isDynamic, line)) }
    }
    return found
  }

  private static func texts(_ bytes: ArraySlice<UInt8>, all: Bool) -> (names: [String], isDynamic: Bool) {
    var names: [String] = []
    var isDynamic = false
    var inArray = false
    var index = bytes.startIndex
    while index < bytes.endIndex {
      switch bytes[index] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): index += 1
      case UInt8(ascii: "[") where names.isEmpty:
        inArray = true
        index += 1
      case UInt8(ascii: ",") where inArray || all: index += 1
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        let quote = bytes[index]
        guard let end = bytes[(index + 1)...].firstIndex(of: quote) else { return (names, isDynamic) }
        let text = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
        let after = bytes[(end + 1)...].first { $0 != 0x20 }
        if text.contains("#{") || after == UInt8(ascii: "+") { isDynamic = true }
        names.append(text)
        index = end + 1
        if !inArray, !all { return (names, isDynamic) }
      default: return (names, isDynamic)
      }
    }
    return (names, isDynamic)
  }

  /// Ruby comments that fill a line.
  private static func withoutComments(_ code: String) -> String {
    code.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.first { $0 != " " && $0 != "\t" } == "#" ? "" : String(line)
    }.joined(separator: "\n")
  }

  private static func isDeclared(_ name: String, _ spec: JobSpec) -> Bool {
    spec.properties.contains { property in
      property.name == name || property.name.hasPrefix(name + ".") || name.hasPrefix(property.name + ".")
    }
  }

  static func undeclared(_ job: LintedJob) -> [LintPlace] {
    guard let spec = job.spec else { return [] }
    var seen: Set<Use> = []
    return uses(["p", "if_p"], in: job).filter { !$0.isDynamic && seen.insert($0).inserted }.flatMap { use in
      use.names.filter { !isDeclared($0, spec) }.map { name in
        use.source.place("the spec does not declare the property '\(name)'", line: use.line)
      }
    }
  }

  static func linkUndeclared(_ job: LintedJob) -> [LintPlace] {
    guard let spec = job.spec else { return [] }
    return uses(["link", "if_link"], in: job).filter { !$0.isDynamic }.flatMap { use in
      use.names.filter { name in !spec.consumes.contains { $0.name == name } }.map { name in
        use.source.place("the spec does not consume a link '\(name)'", line: use.line)
      }
    }
  }

  static func linkOptional(_ job: LintedJob) -> [LintPlace] {
    guard let spec = job.spec else { return [] }
    let guarded = Set(uses(["if_link"], in: job).flatMap { use in use.names.map { [$0, use.source.path] } })
    return uses(["link"], in: job).filter { !$0.isDynamic }.flatMap { use in
      use.names.filter { name in
        spec.consumes.contains { $0.name == name && $0.isOptional } && !guarded.contains([name, use.source.path])
          && !use.source.text.contains("rescue")
      }.map { name in use.source.place("link('\(name)') is optional in the spec", line: use.line) }
    }
  }

  /// Properties that nothing of the job mentions.
  static func unused(_ job: LintedJob) -> [LintPlace] {
    guard let spec = job.spec, !job.templates.isEmpty else { return [] }
    let texts = job.templates.map(\.source.text) + [job.monit?.text ?? ""]
    if texts.contains(where: { $0.contains("raw_properties") || $0.contains("properties.to_h") }) { return [] }
    let uses = uses(["p", "if_p"], in: job)
    return spec.properties.filter { property in
      let isNamed = texts.contains { $0.contains(property.name) }
      let isReached = uses.contains { use in
        use.names.contains { name in
          let fixed = name.firstRange(of: "#{").map { String(name[..<$0.lowerBound]) } ?? name
          return property.name == fixed || property.name.hasPrefix(use.isDynamic ? fixed : fixed + ".")
        }
      }
      let isShown = spec.provides.contains { link in
        link.properties.contains { $0 == property.name || property.name.hasPrefix($0 + ".") }
      }
      return !isNamed && !isReached && !isShown
    }.map { property in
      job.specSource.place(
        "no template uses the property '\(property.name)'", line: job.specSource.line(ofKey: property.name))
    }
  }

  static func linkUnused(_ job: LintedJob) -> [LintPlace] {
    guard let spec = job.spec else { return [] }
    let texts = job.templates.map(\.source.text) + [job.monit?.text ?? ""]
    return spec.consumes.filter { link in !texts.contains { $0.contains(link.name) } }.map { link in
      job.specSource.place("no template uses the link '\(link.name)'", line: job.specSource.line(of: link.name))
    }
  }

  static func provided(_ job: LintedJob) -> [LintPlace] {
    guard let spec = job.spec else { return [] }
    return spec.provides.flatMap { link in
      link.properties.filter { !isDeclared($0, spec) }.map { name in
        job.specSource.place(
          "the link '\(link.name)' shows the property '\(name)', which the spec does not declare",
          line: job.specSource.line(ofKey: name))
      }
    }
  }
}
