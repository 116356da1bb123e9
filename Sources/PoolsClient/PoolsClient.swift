import AsyncHTTPClient
import Connections
import Formats
import GoConventions
import NIOCore
import NIOHTTP1
import PoolsProtocol
public import Surroundings

/// Speaks to a server of pools, ours or Boskos itself (reference/boskos.md 14).
///
/// ```swift
/// let pools = try PoolsClient(url: "http://localhost:8080", owner: "ci-17")
/// try await pools.withLease(type: "aws-account") { lease in
///   try await test(in: lease.userData["account-id"])
/// }
/// ```
public struct PoolsClient: PoolsAccess {
  public struct Options: Sendable {
    /// How long to wait between attempts when a server cannot be reached or is in trouble.
    public var pauses: [Duration]
    /// How long to wait between two questions whether there is something now.
    public var pollInterval: Duration
    /// Whether release, update, reset and metric try again also when they are refused, as Boskos's own client does.
    public var repeatsRefusals: Bool
    /// How long a server may take to answer, or not be there.
    public var timeout: Duration

    public init(
      pauses: [Duration] = [.seconds(1), .seconds(4), .seconds(9)], pollInterval: Duration = .seconds(3),
      repeatsRefusals: Bool = false, timeout: Duration = .seconds(330)
    ) {
      self.pauses = pauses
      self.pollInterval = pollInterval
      self.repeatsRefusals = repeatsRefusals
      self.timeout = timeout
    }
  }

  /// In whose name it leases.
  public let owner: String
  public let options: Options
  public let surroundings: Surroundings
  private let base: String
  private let credentials: Credentials?

  /// User, and the file that the password is in; read again for each call, since it may be changed.
  private struct Credentials: Sendable {
    var user: String
    var passwordFile: String

    var header: String {
      get throws {
        let text = try PasswordFile.read(passwordFile)
        return "Basic \(Base64.encode("\(user):\(text)".utf8))"
      }
    }
  }

  /// - Parameter url: scheme, host and port; a path in it does not count.
  /// - Throws: ``DroverError`` with code `invalid` for what is no URL, and when user and password file do not come
  ///   together; what reading the password file throws.
  public init(
    url: String, owner: String, username: String = "", passwordFile: String = "", options: Options = Options(),
    surroundings: Surroundings = .system
  ) throws {
    guard username.isEmpty == passwordFile.isEmpty else {
      throw DroverError(.invalid, "username and passwordFile must be specified together")
    }
    let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3, ["http:", "https:"].contains(parts[0].lowercased()), parts[1].isEmpty, !parts[2].isEmpty
    else {
      throw DroverError(.invalid, "the URL \(GoText.quoted(url)): expected http[s]://HOST[:PORT]")
    }
    base = "\(parts[0])//\(parts[2])"
    credentials = username.isEmpty ? nil : Credentials(user: username, passwordFile: passwordFile)
    // What cannot be read now is said at once, instead of after several attempts.
    _ = try credentials?.header
    self.owner = owner
    self.options = options
    self.surroundings = surroundings
  }

  /// Whether a password goes to the server without TLS.
  public var exposesPassword: Bool { credentials != nil && !base.lowercased().hasPrefix("https:") }

  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// Asks until there is an answer that is final.
  ///
  /// - Parameters:
  ///   - isFinal: decides which answers are.
  ///   - describe: what to say of one that is not.
  func ask(
    _ method: String, _ path: String, _ query: [(String, String)], body: [UInt8]? = nil,
    contentType: String = "application/json", isFinal: (Answer) -> Bool, describe: (Answer) -> String
  ) async throws -> Answer {
    var texts: [String] = []
    var isReached = false
    for attempt in 0...options.pauses.count {
      if attempt > 0 { try await surroundings.sleep(options.pauses[attempt - 1]) }
      do {
        let answer = try await send(method, path, query, body, contentType)
        if isFinal(answer) { return answer }
        isReached = true
        texts.append(describe(answer))
      } catch let error where error is CancellationError {
        throw error
      } catch let error as PoolsClientError where error.isPassword {
        throw error
      } catch {
        try Task.checkCancellation()
        texts.append("\(error)")
      }
    }
    var seen: Set<String> = []
    texts = texts.filter { seen.insert($0).inserted }
    throw isReached || texts.count > 1 ? PoolsClientError.failed(texts) : .unreachable(texts[0])
  }

  /// Lives as long as the program. A server that does not listen is told at once: when to try again is decided above.
  private static let http: HTTPClient = {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.connect = .seconds(30)
    return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()

  private func send(
    _ method: String, _ path: String, _ query: [(String, String)], _ body: [UInt8]?, _ contentType: String
  ) async throws -> Answer {
    let text = query.sorted { $0.0 < $1.0 }.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
    var request = HTTPClientRequest(url: "\(base)\(path)?\(text)")
    request.method = HTTPMethod(rawValue: method)
    if let credentials { request.headers.add(name: "Authorization", value: try credentials.header) }
    if let body {
      request.headers.add(name: "Content-Type", value: contentType)
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let response: HTTPClientResponse
    do {
      response = try await Self.http.execute(
        request, timeout: .seconds(options.timeout.components.seconds))
      let bytes = Array(try await response.body.collect(upTo: 64 << 20).readableBytesView)
      // Boskos says with the same status that somebody else has the lease, and never asks for a password.
      if response.status == .unauthorized, !response.headers["WWW-Authenticate"].isEmpty {
        throw PoolsClientError.notLetIn(base, user: credentials?.user)
      }
      return Answer(status: Int(response.status.code), body: bytes)
    } catch let error where !(error is CancellationError || error is PoolsClientError) {
      throw PoolsClientError.unreachable("\(method) \(GoText.quoted(base + path)): \(ConnectionFailure(error))")
    }
  }

  /// As Go escapes the values of a query.
  static func escaped(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        bytes.append(byte)
      case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
      default: bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text of a status as Go prints it: `404 Not Found`.
  static func status(_ status: Int) -> String {
    let phrase = HTTPResponseStatus(statusCode: status).reasonPhrase
    return phrase.isEmpty ? "\(status)" : "\(status) \(phrase)"
  }
}
