import GoConventions
import PoolsProtocol
import Sealing
import Surroundings

/// Documents of pools as JSON, written directly: a million of them are read at a start.
///
/// Kind `pool-resource`, named by the resource's key; kind `pool-type`, named as the dynamic type; kind `pool-waiter`, named by
/// its number in the queue; kind `pool-server`, named `time`; kind `pool-work`, named by the resource's key.
enum PoolDocuments {
  static let resource = "pool-resource"
  static let lifeCycle = "pool-type"
  static let waiter = "pool-waiter"
  static let server = "pool-server"
  static let work = "pool-work"

  static func body(_ record: PoolRecord, _ keys: SealKeys?) throws -> [UInt8] {
    var writer = RecordWriter()
    writer.text("type", record.type)
    writer.text("state", record.state)
    writer.number("updated", record.lastUpdate.nanoseconds)
    if record.isOwned { writer.text("owner", record.owner) }
    if !record.userData.isEmpty { try writer.secret("data", record.userData, resource, record.key, keys) }
    if let expiration = record.expiration { writer.number("expires", expiration.nanoseconds) }
    if record.isDoomed { writer.number("doomed", 1) }
    if let grant = record.grant {
      writer.text("request", grant.requestID)
      writer.text("from", grant.from)
      if grant.to != record.state { writer.text("to", grant.to) }
      writer.number("granted", grant.at.nanoseconds)
    }
    return writer.end()
  }

  static func body(_ lifeCycle: LifeCycle, _ keys: SealKeys?) throws -> [UInt8] {
    var writer = RecordWriter()
    writer.text("state", lifeCycle.initialState)
    writer.number("minimum", Int64(lifeCycle.minimum))
    writer.number("maximum", Int64(lifeCycle.maximum))
    if let lifespan = lifeCycle.lifespan { writer.number("lifespan", lifespan.nanoseconds) }
    writer.map("needs", lifeCycle.needs.mapValues(String.init))
    if let construction = lifeCycle.construction {
      let config = ["type": construction.type, "content": construction.content]
      try writer.secret("config", config, Self.lifeCycle, lifeCycle.type, keys)
    }
    return writer.end()
  }

  static func body(_ key: QueueKey, _ waiter: WaitQueue.Waiter) -> [UInt8] {
    var writer = RecordWriter()
    writer.text("type", key.type)
    writer.text("state", key.state)
    writer.text("request", waiter.id)
    writer.number("created", waiter.createdAt.nanoseconds)
    return writer.end()
  }

  static func body(alive: Timestamp, _ outages: Outages) -> [UInt8] {
    var writer = RecordWriter()
    writer.number("alive", alive.nanoseconds)
    let texts = outages.all.map { ("\($0.end.nanoseconds)", "\($0.length.nanoseconds)") }
    writer.map("outages", Dictionary(texts, uniquingKeysWith: { $1 }))
    return writer.end()
  }

  /// Sorts as the number does.
  static func name(sequence: Int64) -> String {
    let digits = String(sequence, radix: 16)
    return String(repeating: "0", count: max(0, 16 - digits.count)) + digits
  }
}

/// Members of one JSON object, one after the other.
struct RecordWriter {
  private var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(160) }

  private mutating func name(_ name: StaticString) {
    bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes += $0 }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  mutating func text(_ name: StaticString, _ value: String) {
    self.name(name)
    GoText.appendJSON(value, to: &bytes)
  }

  mutating func number(_ name: StaticString, _ value: Int64) {
    self.name(name)
    GoText.append(value, to: &bytes)
  }

  mutating func map(_ name: StaticString, _ value: [String: String]) {
    self.name(name)
    GoText.appendJSON(value, to: &bytes)
  }

  /// A map that nobody is to read in the store: a sealed text in its place, when there are keys.
  mutating func secret(
    _ name: StaticString, _ value: [String: String], _ kind: String, _ document: String, _ keys: SealKeys?
  ) throws {
    guard let keys else { return map(name, value) }
    var clear: [UInt8] = []
    GoText.appendJSON(value, to: &clear)
    text(name, try keys.seal(clear, at: SealPlace(kind: kind, name: document, field: "\(name)")))
  }

  mutating func end() -> [UInt8] {
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}

extension Duration {
  /// Nanoseconds, up to 292 years.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? (seconds < 0 ? .min : .max) : whole + attoseconds / 1_000_000_000
  }
}
