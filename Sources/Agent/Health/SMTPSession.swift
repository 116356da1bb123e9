/// One connection to the door for mails, as a state machine: bytes in, replies and mails out. It understands what a mailer
/// on this machine needs, and bounds everything that it is sent.
struct SMTPSession: Sendable {
  enum Output: Sendable, Hashable {
    /// To be sent, with its line's end.
    case reply(String)
    /// A whole mail has come; whoever takes it says what is answered.
    case mail(MonitMail)
    case close
  }

  /// In bytes, without the line's end.
  static let maximumLine = 8192
  static let maximumMessage = 65_536
  /// Of one connection, commands and lines of mails apart.
  static let maximumCommands = 100
  static let greeting = "220 localhost drover-agent takes alerts of monit\r\n"

  private enum State: Sendable { case start, ready, sender, recipient, data }

  private var state = State.start
  private var line: [UInt8] = []
  private var commands = 0
  private var size = 0
  private var mail = MonitMail()
  private(set) var isClosed = false

  /// Whether anything was said that belongs to SMTP.
  var spoke: Bool { state != .start }

  mutating func receive(_ bytes: some Sequence<UInt8>) -> [Output] {
    var outputs: [Output] = []
    for byte in bytes {
      if isClosed { break }
      if byte == UInt8(ascii: "\n") {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        line.removeAll(keepingCapacity: true)
        outputs += state == .data ? content(text) : command(text)
      } else if line.count < Self.maximumLine {
        line.append(byte)
      } else {
        outputs += end(spoke ? "500 line too long" : nil)
      }
    }
    return outputs
  }

  private mutating func command(_ text: String) -> [Output] {
    commands += 1
    guard commands <= Self.maximumCommands else { return end("421 too many commands") }
    let verb = text.prefix { $0 != " " && $0 != ":" }.uppercased()
    switch (verb, state) {
    case ("HELO", _), ("EHLO", _):
      restart()
      return [.reply("250 localhost\r\n")]
    case ("QUIT", _): return end("221 bye")
    // Whoever begins with something else speaks another language: it gets no answer.
    case (_, .start): return end(nil)
    case ("NOOP", _): return [.reply("250 ok\r\n")]
    case ("RSET", _):
      restart()
      return [.reply("250 ok\r\n")]
    case ("MAIL", .ready):
      state = .sender
      return [.reply("250 ok\r\n")]
    case ("RCPT", .sender), ("RCPT", .recipient):
      state = .recipient
      return [.reply("250 ok\r\n")]
    case ("DATA", .recipient):
      state = .data
      return [.reply("354 end with a line that is a dot\r\n")]
    case ("MAIL", _), ("RCPT", _), ("DATA", _): return [.reply("503 not now\r\n")]
    default: return [.reply("502 unknown command\r\n")]
    }
  }

  private mutating func content(_ text: String) -> [Output] {
    if text == "." {
      defer { restart() }
      return [.mail(mail)]
    }
    size += text.utf8.count + 2
    guard size <= Self.maximumMessage else { return end("552 message too long") }
    mail.add(text.hasPrefix(".") ? String(text.dropFirst()) : text)
    return []
  }

  private mutating func restart() {
    state = .ready
    size = 0
    mail = MonitMail()
  }

  private mutating func end(_ reply: String?) -> [Output] {
    isClosed = true
    return (reply.map { [.reply("\($0)\r\n")] } ?? []) + [.close]
  }
}
