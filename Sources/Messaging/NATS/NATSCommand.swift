import Formats
import NIOCore

/// What a client says, as bytes. Subjects must have been checked before: they are not escaped.
enum NATSCommand {
  static let ping = ByteBuffer(string: "PING\r\n")
  static let pong = ByteBuffer(string: "PONG\r\n")

  static func connect(name: String, user: String?, password: Secret?, tls: Bool) -> ByteBuffer {
    var options: ValueObject = [
      "verbose": false, "pedantic": false, "tls_required": .bool(tls), "name": .string(name), "lang": "swift",
      "version": "1", "protocol": 1, "echo": true, "headers": true, "no_responders": true,
    ]
    if let user { options["user"] = .string(user) }
    if let password { options["pass"] = .string(password.reveal()) }
    return ByteBuffer(string: "CONNECT \(JSON.text(.object(options)))\r\n")
  }

  static func subscribe(_ subject: String, queue: String?, id: Int) -> ByteBuffer {
    ByteBuffer(string: "SUB \(subject) \(queue.map { $0 + " " } ?? "")\(id)\r\n")
  }

  static func unsubscribe(id: Int) -> ByteBuffer { ByteBuffer(string: "UNSUB \(id)\r\n") }

  static func publish(_ subject: String, reply: String?, headers: [UInt8], payload: [UInt8]) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.reserveCapacity(subject.utf8.count + headers.count + payload.count + 64)
    bytes.writeString(headers.isEmpty ? "PUB " : "HPUB ")
    bytes.writeString(subject)
    if let reply { bytes.writeString(" " + reply) }
    if !headers.isEmpty { bytes.writeString(" \(headers.count)") }
    bytes.writeString(" \(headers.count + payload.count)\r\n")
    bytes.writeBytes(headers)
    bytes.writeBytes(payload)
    bytes.writeStaticString("\r\n")
    return bytes
  }
}
