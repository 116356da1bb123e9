import Formats
import PoolsProtocol
import Sealing
import Surroundings

/// Reads what ``RecordWriter`` wrote: one object of strings, whole numbers, and objects of strings.
struct RecordReader {
  private(set) var texts: [(name: String, value: String)] = []
  private(set) var numbers: [(name: String, value: Int64)] = []
  private(set) var maps: [(name: String, value: [String: String])] = []

  /// - Throws: ``DroverError`` with code `corrupt`, naming the document.
  init(_ body: [UInt8], _ document: @autoclosure () -> String) throws {
    var cursor = Cursor(bytes: body)
    guard read(&cursor) else {
      throw DroverError(.corrupt, "reading the document \(document()): it is damaged; restore it from a backup")
    }
  }

  func text(_ name: String) -> String { text(name) ?? "" }
  func text(_ name: String) -> String? { texts.first { $0.name == name }?.value }
  func number(_ name: String) -> Int64? { numbers.first { $0.name == name }?.value }
  func map(_ name: String) -> [String: String] { maps.first { $0.name == name }?.value ?? [:] }

  /// A map that is sealed, or in clear from before there were keys.
  func secret(_ name: String, _ kind: String, _ document: String, _ keys: SealKeys?) throws -> [String: String] {
    guard let sealed: String = text(name) else { return map(name) }
    let place = SealPlace(kind: kind, name: document, field: name)
    guard let keys else { throw DroverError(.forbidden, "opening \(place): it is sealed, and there are no keys") }
    var cursor = Cursor(bytes: try keys.open(sealed, at: place))
    guard let map = cursor.map() else {
      throw DroverError(.corrupt, "opening \(place): what was sealed is no map; restore it from a back-up")
    }
    return map
  }

  private mutating func read(_ cursor: inout Cursor) -> Bool {
    guard cursor.take(UInt8(ascii: "{")) else { return false }
    repeat {
      guard let name = cursor.string(), cursor.take(UInt8(ascii: ":")) else { return false }
      switch cursor.next {
      case UInt8(ascii: "\""):
        guard let value = cursor.string() else { return false }
        texts.append((name, value))
      case UInt8(ascii: "{"):
        guard let value = cursor.map() else { return false }
        maps.append((name, value))
      default:
        guard let value = cursor.number() else { return false }
        numbers.append((name, value))
      }
    } while cursor.take(UInt8(ascii: ","))
    return cursor.take(UInt8(ascii: "}")) && cursor.next == nil
  }

  private struct Cursor {
    let bytes: [UInt8]
    var place = 0

    var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
      guard next == byte else { return false }
      place += 1
      return true
    }

    mutating func number() -> Int64? {
      let end = bytes[place...].firstIndex { !($0 == 0x2D || (0x30...0x39).contains($0)) } ?? bytes.endIndex
      defer { place = end }
      return Int64(String(decoding: bytes[place..<end], as: UTF8.self))
    }

    mutating func string() -> String? {
      guard take(UInt8(ascii: "\"")) else { return nil }
      let start = place
      while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { place += 1 }
      if take(UInt8(ascii: "\"")) { return String(decoding: bytes[start..<(place - 1)], as: UTF8.self) }
      // With escapes it is for the real parser.
      while let byte = next, byte != UInt8(ascii: "\"") { place += byte == UInt8(ascii: "\\") ? 2 : 1 }
      guard take(UInt8(ascii: "\"")) else { return nil }
      return try? JSON.parse(Array(bytes[(start - 1)..<place])).string
    }

    mutating func map() -> [String: String]? {
      guard take(UInt8(ascii: "{")) else { return nil }
      var map: [String: String] = [:]
      if take(UInt8(ascii: "}")) { return map }
      repeat {
        guard let name = string(), take(UInt8(ascii: ":")), let value = string() else { return nil }
        map[name] = value
      } while take(UInt8(ascii: ","))
      return take(UInt8(ascii: "}")) ? map : nil
    }
  }
}

extension PoolDocuments {
  static func record(
    _ key: String, _ body: [UInt8], _ keys: SealKeys?, _ shared: inout SharedTexts
  ) throws -> PoolRecord {
    let reader = try RecordReader(body, "pool-resource '\(key)'")
    let isNamedPerType = key.utf8.contains(UInt8(ascii: "/"))
    let name = isNamedPerType ? String(key.prefix { $0 != "/" }) : key
    var record = PoolRecord(
      type: shared.one(reader.text("type")), name: name, state: shared.one(reader.text("state")),
      owner: reader.text("owner"), lastUpdate: Timestamp(nanoseconds: reader.number("updated") ?? 0),
      userData: try reader.secret("data", resource, key, keys),
      expiration: reader.number("expires").map { Timestamp(nanoseconds: $0) })
    record.isDoomed = reader.number("doomed") == 1
    record.isNamedPerType = isNamedPerType
    if let at = reader.number("granted") {
      record.grant = .init(
        requestID: reader.text("request"), from: reader.text("from"), to: reader.text("to") ?? record.state,
        at: Timestamp(nanoseconds: at))
    }
    return record
  }

  static func lifeCycle(_ type: String, _ body: [UInt8], _ keys: SealKeys?) throws -> LifeCycle {
    let reader = try RecordReader(body, "pool-type '\(type)'")
    let config = try reader.secret("config", Self.lifeCycle, type, keys)
    return LifeCycle(
      type: type, initialState: reader.text("state"), minimum: Int(reader.number("minimum") ?? 0),
      maximum: Int(reader.number("maximum") ?? 0), lifespan: reader.number("lifespan").map { .nanoseconds($0) },
      needs: reader.map("needs").compactMapValues { Int($0) },
      construction: config.isEmpty ? nil : .init(type: config["type"] ?? "", content: config["content"] ?? ""))
  }

  static func waiter(
    _ name: String, _ body: [UInt8], expiry: Timestamp
  ) throws -> (QueueKey, WaitQueue.Waiter) {
    let reader = try RecordReader(body, "pool-waiter '\(name)'")
    guard let sequence = Int64(name, radix: 16) else {
      throw DroverError(.corrupt, "reading the document pool-waiter '\(name)': its name is no number")
    }
    return (
      QueueKey(type: reader.text("type"), state: reader.text("state")),
      WaitQueue.Waiter(
        id: reader.text("request"), sequence: sequence,
        createdAt: Timestamp(nanoseconds: reader.number("created") ?? 0), expiry: expiry)
    )
  }

  static func server(_ body: [UInt8]) throws -> (alive: Timestamp, outages: Outages) {
    let reader = try RecordReader(body, "pool-server 'time'")
    let outages = reader.map("outages").compactMap { end, length -> Outages.Outage? in
      guard let end = Int64(end), let length = Int64(length) else { return nil }
      return .init(end: Timestamp(nanoseconds: end), length: .nanoseconds(length))
    }
    return (
      Timestamp(nanoseconds: reader.number("alive") ?? 0), Outages(outages.sorted { $0.end < $1.end })
    )
  }
}

/// Equal texts of many records, kept once.
struct SharedTexts {
  private var texts: Set<String> = []

  mutating func one(_ text: String) -> String {
    // The shortest lie in the value itself.
    guard text.utf8.count > 15, texts.count < 10_000 else { return text }
    return texts.insert(text).memberAfterInsert
  }
}
