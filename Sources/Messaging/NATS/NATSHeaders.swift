import Formats

/// The block before a message's payload: `NATS/1.0[ status[ text]]`, then fields, one a line, then an empty line.
struct NATSHeaders: Sendable, Equatable {
  var status: Int?
  var fields: [BusMessage.Header]

  init(fields: [BusMessage.Header]) {
    self.fields = fields
  }

  init(parsing bytes: [UInt8]) throws(DroverError) {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
    let first = lines.removeFirst()
    guard first.starts(with: "NATS/1.".utf8) else {
      let start = String(decoding: first.prefix(40), as: UTF8.self).debugDescription
      throw DroverError(.corrupt, "NATS: a message's headers begin with \(start) instead of NATS/1.0")
    }
    let status = first.split(separator: UInt8(ascii: " ")).dropFirst().first
    self.status = status.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    fields = lines.compactMap { line in
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
      return BusMessage.Header(
        name: String(decoding: line[..<colon], as: UTF8.self), value: String(decoding: value, as: UTF8.self))
    }
  }

  /// The block as it is sent.
  /// - Throws: `DroverError` (`invalid`) for a name or value that would end its line early.
  func bytes() throws(DroverError) -> [UInt8] {
    var text = "NATS/1.0\r\n"
    for field in fields {
      let isName = !field.name.isEmpty && field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
      guard isName, field.value.utf8.allSatisfy({ $0 != 0x0D && $0 != 0x0A }) else {
        throw DroverError(
          .invalid, "header \(field.name.debugDescription): the name must be printable, the value without line ends")
      }
      text += "\(field.name): \(field.value)\r\n"
    }
    return Array((text + "\r\n").utf8)
  }
}
