import Files
import Formats
import Glibc
import Processes

/// The `monit` command from its arguments to its exit status (`reference/lifecycle.md 3.4`).
public enum MonitProgram {
  public static let port = 2822

  /// What it prints, and the exit status.
  public struct Outcome: Sendable, Hashable {
    public var output = ""
    public var errors = ""
    public var status: Int32 = 0
  }

  /// Whether a program was called by this name.
  public static func isMeant(by program: String) -> Bool { program.split(separator: "/").last == "monit" }

  public static func main(_ arguments: [String]) -> Never {
    signal(SIGPIPE, SIG_IGN)
    // A service's own program that waited for its own end would wait for ever.
    let outcome = run(
      arguments, paths: VMPaths(), port: port, waits: Environment.current()["MONIT_SERVICE"] == nil)
    write(STDOUT_FILENO, outcome.output)
    write(STDERR_FILENO, outcome.errors)
    exit(outcome.status)
  }

  public static func run(_ arguments: [String], paths: VMPaths, port: Int, waits: Bool) -> Outcome {
    do {
      let command = try MonitCommand(arguments)
      switch command {
      case .help: return Outcome(output: MonitCommand.usage)
      case .version: return Outcome(output: "This is Monit version \(MonitText.version) (as the Drover agent has it)\n")
      case .check: return try check(paths)
      default: return try ask(command, paths, port, waits)
      }
    } catch {
      return Outcome(errors: "monit: \(error)\n", status: 1)
    }
  }

  private static func check(_ paths: VMPaths) throws -> Outcome {
    var services: [ServiceDefinition] = []
    var mistakes: [DroverError] = []
    for name in try Files.names(in: paths.controlFiles) where name.hasSuffix(".monitrc") {
      let path = "\(paths.controlFiles)/\(name)"
      do {
        services += try ControlFile.parse(
          String(decoding: Files.read(path, limit: 1 << 20), as: UTF8.self), file: path)
      } catch let error as DroverError {
        mistakes.append(error)
      }
    }
    mistakes += ServiceOrder.usable(services).mistakes
    guard mistakes.isEmpty else {
      return Outcome(errors: mistakes.map { "monit: \($0)\n" }.joined(), status: 1)
    }
    return Outcome(output: "Control file syntax OK\n")
  }

  private static func ask(_ command: MonitCommand, _ paths: VMPaths, _ port: Int, _ waits: Bool) throws -> Outcome {
    guard let request = command.request(waits: waits) else { return Outcome() }
    let credentials = try (Files.text(paths.monitUser) ?? "").split(whereSeparator: \.isNewline).first ?? ""
    guard
      let answer = try MonitClient.ask(
        port: port, credentials: String(credentials), method: request.method, target: request.target,
        body: request.body)
    else {
      if case .act = command {
        throw DroverError(
          .unavailable, "Cannot connect to the monit daemon. Did you start it with http support?")
      }
      throw DroverError(.unavailable, "no status available -- the monit daemon is not running")
    }
    guard answer.status < 300 else {
      throw DroverError(.failed, "action failed -- \(answer.message)")
    }
    switch command {
    case .summary, .status: return Outcome(output: answer.body)
    case .reload: return Outcome(errors: "Reinitializing monit daemon\n")
    default: return Outcome()
    }
  }

  private static func write(_ descriptor: Int32, _ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}

/// Asks the agent over HTTP: one request, one connection, blocking, since the command has nothing else to do.
enum MonitClient {
  struct Answer: Sendable, Hashable {
    var status: Int
    var body: String

    /// What a page of an error says, between its heading and the end of its paragraph.
    var message: String {
      guard let start = body.firstRange(of: "</h2>")?.upperBound else { return body }
      let text = body[start...]
      return String(text[..<(text.firstRange(of: "<p>")?.lowerBound ?? text.endIndex)])
        .replacing("&lt;", with: "<").replacing("&amp;", with: "&")
    }
  }

  /// Nil when nobody listens.
  static func ask(port: Int, credentials: String, method: String, target: String, body: String) throws -> Answer? {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw systemError("making a socket") }
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if connected != 0 { return nil }
    let request = """
      \(method) \(target) HTTP/1.0\r
      Host: 127.0.0.1\r
      Authorization: Basic \(Base64.encode(Array(credentials.utf8)))\r
      Content-Type: application/x-www-form-urlencoded\r
      Content-Length: \(body.utf8.count)\r
      \r
      \(body)
      """
    var rest = Array(request.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw systemError("sending the command to the monit daemon") }
      rest = rest.dropFirst(count)
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw systemError("reading from the monit daemon") }
      if count == 0 { break }
      bytes += buffer.prefix(count)
    }
    return try answer(bytes)
  }

  static func answer(_ bytes: [UInt8]) throws -> Answer {
    let text = String(decoding: bytes, as: UTF8.self)
    let line = text.prefix { !$0.isNewline }.split(separator: " ")
    guard line.count > 1, let status = Int(line[1]), let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) else {
      throw DroverError(.failed, "cannot parse the answer of the monit daemon")
    }
    return Answer(status: status, body: String(text[end.upperBound...]))
  }
}
