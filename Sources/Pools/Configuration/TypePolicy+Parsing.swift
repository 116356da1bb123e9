import Formats
import GoConventions
import PoolsProtocol

extension TypePolicy {
  /// Reads the keys of an entry that are ours.
  ///
  /// - Parameter place: where the entry is, for what is said of faults.
  init(_ fields: ConfigurationFields, at place: String) throws {
    do {
      try self.init(fields, place)
    } catch let error as DroverError {
      // A type is easier to find than a number.
      guard let type = fields["type"]?.string, !type.isEmpty else { throw error }
      throw DroverError(.invalid, "\(error.message) (type \(type))")
    }
  }

  private init(_ fields: ConfigurationFields, _ place: String) throws {
    self.init()
    reaping = try fields["reap-after"].flatMap { try ReapingPolicy($0, at: "\(place).reap-after") }
    janitor = try fields["janitor"].flatMap { try ServiceProgram($0, at: "\(place).janitor") }
    mason = try fields["mason"].flatMap { try ServiceProgram($0, at: "\(place).mason") }
    if let builder = try fields["builder"].flatMap({ try ServiceProgram($0, at: "\(place).builder") }) {
      guard mason == nil else { throw PolicyValue.fault("\(place).builder", "it or mason, which mean the same") }
      mason = builder
    }
    if let value = fields["alert-below"], !value.isNull {
      alertBelow = try PolicyValue.count(value, at: "\(place).alert-below")
    }
    if let value = fields["alert-waiting"], !value.isNull {
      alertWaiting = try PolicyValue.duration(value, at: "\(place).alert-waiting")
    }
  }
}

/// Values of our own keys, and what is said when they are no good.
private enum PolicyValue {
  static func fault(_ place: String, _ expected: String) -> DroverError {
    PoolsConfiguration.malformed("\(place): expected \(expected)")
  }

  static func duration(_ value: Value, at place: String) throws -> Duration {
    guard let text = value.string, let duration = try? GoDuration.parse(text), duration > .zero else {
      throw fault(place, "a time such as 30m, more than 0")
    }
    return duration
  }

  static func count(_ value: Value, at place: String) throws -> Int {
    guard let count = value.int, count > 0 else { throw fault(place, "a number more than 0") }
    return count
  }

  static func refuseOthers(_ object: ValueObject, than known: [String], at place: String) throws {
    if let other = object.keys.first(where: { !known.contains($0) }) {
      throw fault("\(place).\(other)", "only \(known.joined(separator: ", ")) here")
    }
  }

  static func arguments(_ object: ValueObject, at place: String) throws -> [String] {
    guard let arguments = object["arguments"], !arguments.isNull else { return [] }
    return try texts(arguments, at: "\(place).arguments")
  }

  static func texts(_ value: Value, at place: String) throws -> [String] {
    let texts = value.array?.map(ConfigurationFields.text) ?? [ConfigurationFields.text(value)]
    let found = texts.compactMap { $0 }
    guard !found.isEmpty, found.count == texts.count, found.first != "" else {
      throw fault(place, "a command: a text, or a list of the program and its arguments")
    }
    return found
  }
}

extension ReapingPolicy {
  /// A time for the usual states, `keep` for none, or times by state; `"*"` stands for every other state.
  fileprivate init?(_ value: Value, at place: String) throws {
    self.init()
    if value.isNull { return nil }
    guard let object = value.object else {
      guard let usual = try Self.time(value, at: place) else {
        for state in Self.usualStates { states[state] = .some(nil) }
        return
      }
      self.usual = usual
      return
    }
    for (state, member) in object {
      let time = try Self.time(member, at: "\(place).\(state)")
      if state == "*" { others = time } else { states[state] = .some(time) }
    }
  }

  private static func time(_ value: Value, at place: String) throws -> Duration? {
    if value.string == keep { return nil }
    guard let time = try? PolicyValue.duration(value, at: place) else {
      throw PolicyValue.fault(place, "a time such as 30m, or keep")
    }
    return time
  }
}

extension ServiceProgram {
  private static let limits = ["timeout", "heartbeat", "quarantine-after", "quarantine-state"]

  /// A command, or an object with one, or an object with the errand of a deployment.
  fileprivate init?(_ value: Value, at place: String) throws {
    if value.isNull { return nil }
    guard let object = value.object else {
      self.init(command: try PolicyValue.texts(value, at: place))
      return
    }
    if object["errand"] != nil || object["deployment"] != nil {
      self.init(errand: try ServiceErrand(object, known: Self.limits, at: place))
    } else {
      self.init(command: try Self.command(object, at: place))
    }
    timeout = try object["timeout"].map { try PolicyValue.duration($0, at: "\(place).timeout") }
    heartbeat = try object["heartbeat"].map { try PolicyValue.duration($0, at: "\(place).heartbeat") }
    quarantineAfter = try object["quarantine-after"].map {
      try PolicyValue.count($0, at: "\(place).quarantine-after")
    }
    quarantineState = try object["quarantine-state"].map { value in
      guard let state = value.string, !state.isEmpty else {
        throw PolicyValue.fault("\(place).quarantine-state", "a text")
      }
      return state
    }
  }

  private static func command(_ object: ValueObject, at place: String) throws -> [String] {
    try PolicyValue.refuseOthers(object, than: ["command", "arguments"] + limits, at: place)
    guard let command = object["command"] else {
      throw PolicyValue.fault(place, "a command, or a deployment and its errand")
    }
    let arguments = try PolicyValue.arguments(object, at: place)
    return try PolicyValue.texts(command, at: "\(place).command") + arguments
  }
}

extension ServiceErrand {
  fileprivate init(_ object: ValueObject, known: [String], at place: String) throws {
    guard object["command"] == nil else {
      throw PolicyValue.fault(place, "a command, or a deployment and its errand, and not both")
    }
    try PolicyValue.refuseOthers(object, than: ["deployment", "errand", "arguments"] + known, at: place)
    func name(_ key: String, _ expected: String) throws -> String {
      guard let name = object[key]?.string, !name.isEmpty else {
        throw PolicyValue.fault("\(place).\(key)", expected)
      }
      return name
    }
    self.init(
      deployment: try name("deployment", "the name of the deployment that has the errand"),
      errand: try name("errand", "the name of an errand of the deployment"),
      arguments: try PolicyValue.arguments(object, at: place))
  }
}
