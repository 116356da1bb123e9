import Formats

extension PoolsConfiguration {
  /// Checks what the original checks, in its order and words (reference/boskos.md 4).
  ///
  /// - Throws: ``DroverError`` with code `invalid`: one fault as it is, several as `[one, two]`, each text once.
  func validate() throws {
    guard !entries.isEmpty else { throw DroverError(.invalid, "empty config") }
    var faults: [String] = []
    var seen: Set<String> = []
    var needed: [String: Int] = [:]
    var available: [String: Int] = [:]
    for (index, entry) in entries.enumerated() {
      if entry.type.isEmpty { faults.append(".\(index).type: must be set") }
      if entry.isDynamic {
        if entry.maximum == 0 { faults.append(".\(index).max-count: must be >0") }
        if entry.minimum > entry.maximum {
          faults.append(".\(index).min-count: must be <= .\(index).max-count")
        }
        available[entry.type, default: 0] += max(0, entry.maximum)
        for (type, count) in entry.needs {
          let (product, overflow) = count.multipliedReportingOverflow(by: entry.maximum)
          needed[type] = overflow ? Int.max / 2 : max(-1 << 40, min((needed[type] ?? 0) + product, Int.max / 2))
        }
      } else {
        if entry.minimum != 0 {
          faults.append(".\(index).min-count must be unset when the names property is set")
        }
        if entry.maximum != 0 {
          faults.append(".\(index).max-count must be unset when the names property is set")
        }
        available[entry.type, default: 0] += entry.names.count
      }
      for (place, name) in entry.names.enumerated() {
        let problems = Self.problems(name)
        if !problems.isEmpty {
          faults.append(".\(index).names.\(place)(\(name)) is invalid: [\(problems.joined(separator: " "))]")
        }
        let key = namesAreUniquePerType ? "\(name)/\(entry.type)" : name
        if !seen.insert(key).inserted { faults.append(".\(index).names.\(place)(\(name)) is a duplicate") }
      }
    }
    for (type, count) in needed.sorted(by: { $0.key < $1.key }) {
      if available[type] == nil { faults.append("need for resource \(type) that does not exist") }
      if count > available[type] ?? 0 { faults.append("not enough resource of type \(type) for provisioning") }
    }
    var said: Set<String> = []
    let texts = faults.filter { said.insert($0).inserted }
    if texts.count == 1 { throw DroverError(.invalid, texts[0]) }
    if !texts.isEmpty { throw DroverError(.invalid, "[\(texts.joined(separator: ", "))]") }
  }

  /// Checks that no type has its cleaning or building done by an errand: for servers without a director.
  ///
  /// - Throws: ``DroverError`` with code `invalid` and the first of them.
  public func requireNoErrands() throws {
    for (index, entry) in entries.enumerated() {
      for (key, program) in [("janitor", entry.policy.janitor), ("builder", entry.policy.mason)] {
        guard let errand = program?.errand else { continue }
        throw DroverError(
          .unsupported,
          ".\(index).\(key): type \(entry.type) wants the errand '\(errand.errand)' of deployment "
            + "'\(errand.deployment)', and this server runs pools only and has no director that runs errands; give the "
            + "type a command, or have droverd serve it together with the director")
      }
    }
  }

  /// What makes a name no lower-case subdomain in the sense of RFC 1123.
  private static func problems(_ name: String) -> [String] {
    var problems: [String] = []
    if name.utf8.count > 253 { problems.append("must be no more than 253 characters") }
    let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let isSubdomain = labels.allSatisfy { label in
      guard let first = label.first, let last = label.last, isLetterOrDigit(first), isLetterOrDigit(last) else {
        return false
      }
      return label.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
    }
    if !isSubdomain {
      problems.append(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
          + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
          + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
    }
    return problems
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
