import Formats
import NIOCore

/// Takes bytes in any portions and gives the server's operations. Pure: nothing is read or written here.
///
/// What breaks the protocol is an error, after which the connection must be closed.
struct NATSParser: Sendable {
  /// The longest line that is accepted; INFO lists the cluster, so it may be long.
  static let maximumLine = 256 * 1024
  /// The largest message that a server can be configured for.
  static let maximumMessage = 64 << 20

  private struct Expected {
    var subject: String
    var subscription: Int
    var reply: String?
    var headerLength: Int
    var length: Int
  }

  private var buffer = ByteBuffer()
  /// How far from the reader index the buffer is known to hold no line end.
  private var searched = 0
  private var expected: Expected?

  /// Bytes that are not part of a complete operation yet.
  var pendingBytes: Int { buffer.readableBytes }

  mutating func append(_ bytes: ByteBuffer) {
    var bytes = bytes
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      if buffer.readerIndex > 65536 { buffer.discardReadBytes() }
      buffer.writeBuffer(&bytes)
    }
  }

  /// The next operation, or nil until there are more bytes.
  mutating func next() throws(DroverError) -> NATSOperation? {
    while true {
      if let expected {
        guard let message = try message(expected) else { return nil }
        self.expected = nil
        return message
      }
      guard let line = try line() else { return nil }
      if let operation = try operation(line) { return operation }
    }
  }

  // MARK: - Lines

  private mutating func line() throws(DroverError) -> [UInt8]? {
    let known = searched
    let found = buffer.withUnsafeReadableBytes { $0[known...].firstIndex(of: UInt8(ascii: "\n")) }
    let length = found ?? buffer.readableBytes
    guard length <= Self.maximumLine else {
      throw DroverError(.tooLarge, "NATS: a line from the server is longer than \(Self.maximumLine) bytes")
    }
    guard found != nil, var line = buffer.readBytes(length: length + 1) else {
      searched = buffer.readableBytes
      return nil
    }
    searched = 0
    line.removeLast()
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  /// The operation of a line, or nil if it announces a message whose bytes come next.
  private mutating func operation(_ line: [UInt8]) throws(DroverError) -> NATSOperation? {
    let end = line.firstIndex(where: Self.isBlank) ?? line.endIndex
    let arguments = line[end...]
    switch String(decoding: line[..<min(end, 8)], as: UTF8.self).uppercased() {
    case "MSG":
      expected = try Self.messageHead(arguments, headers: false)
      return nil
    case "HMSG":
      expected = try Self.messageHead(arguments, headers: true)
      return nil
    case "PING": return .ping
    case "PONG": return .pong
    case "+OK": return .ok
    case "INFO": return .info(try NATSServerInfo(json: Array(arguments)))
    case "-ERR":
      let text = arguments.drop(while: Self.isBlank)
      let isQuoted = text.count >= 2 && text.first == UInt8(ascii: "'") && text.last == UInt8(ascii: "'")
      return .error(String(decoding: isQuoted ? text.dropFirst().dropLast() : text, as: UTF8.self))
    default:
      let start = String(decoding: line.prefix(40), as: UTF8.self).debugDescription
      throw DroverError(.corrupt, "NATS: the server sent an unknown operation: \(start)")
    }
  }

  /// `subject sid [reply] [header length] length`
  private static func messageHead(_ arguments: ArraySlice<UInt8>, headers: Bool) throws(DroverError) -> Expected {
    let parts = arguments.split(whereSeparator: isBlank)
    let numbers = headers ? 2 : 1
    guard parts.count == 2 + numbers || parts.count == 3 + numbers,
      let subscription = number(parts[1]),
      let length = number(parts[parts.count - 1]),
      let headerLength = headers ? number(parts[parts.count - 2]) : 0,
      headerLength <= length
    else {
      let text = String(decoding: arguments.prefix(200), as: UTF8.self).debugDescription
      throw DroverError(.corrupt, "NATS: the server announced a message in a form that is not known: \(text)")
    }
    guard length <= maximumMessage else {
      throw DroverError(.tooLarge, "NATS: the server announced a message of \(length) bytes, over \(maximumMessage)")
    }
    return Expected(
      subject: String(decoding: parts[0], as: UTF8.self), subscription: subscription,
      reply: parts.count == 3 + numbers ? String(decoding: parts[2], as: UTF8.self) : nil,
      headerLength: headerLength, length: length)
  }

  // MARK: - Messages

  private mutating func message(_ expected: Expected) throws(DroverError) -> NATSOperation? {
    guard buffer.readableBytes >= expected.length + 2 else { return nil }
    let headers =
      expected.headerLength == 0
      ? nil : try NATSHeaders(parsing: buffer.readBytes(length: expected.headerLength) ?? [])
    let payload = buffer.readBytes(length: expected.length - expected.headerLength) ?? []
    guard buffer.readInteger(as: UInt16.self) == 0x0D0A else {
      throw DroverError(.corrupt, "NATS: a message on \(expected.subject) is longer than the server announced")
    }
    let message = BusMessage(
      subject: expected.subject, payload: payload, reply: expected.reply, status: headers?.status,
      headers: headers?.fields ?? [])
    return .message(subscription: expected.subscription, message)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// A decimal number of at most nine digits.
  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.count <= 9 else { return nil }
    var number = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return number
  }
}
