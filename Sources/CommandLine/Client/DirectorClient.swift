import AsyncHTTPClient
import Connections
import Formats
import NIOCore
import NIOHTTP1
import NIOSSL
import PoolsClient

/// A director's HTTP API, as its clients see it (reference/director.md A).
struct DirectorClient: Sendable {
  let environment: TargetEnvironment
  let http: HTTPClient

  init(_ environment: TargetEnvironment) throws {
    self.environment = environment
    let tls = try Self.tls(trusting: environment.caPEM)
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
    configuration.redirectConfiguration = .disallow
    configuration.timeout.connect = .seconds(10)
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// TLS that believes in an authority; nil is the system's.
  static func tls(trusting caPEM: String?) throws -> TLSConfiguration {
    var tls = TLSConfiguration.makeClientConfiguration()
    if let caPEM {
      do {
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(caPEM.utf8)))
      } catch {
        throw DroverError(
          .invalid, "the server's certificate authority (--ca-cert): expected certificates in PEM, found something else"
        )
      }
    } else {
      tls.trustRoots = .default
    }
    // A server that holds an answer back does not hear the end of the connection meanwhile; nobody waits for that.
    tls.shutdownTimeout = .milliseconds(100)
    return tls
  }

  func close() async { try? await http.shutdown() }

  /// An answer that was taken whole.
  struct Answer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var bytes: [UInt8]

    func value() throws -> Value { try JSON.parse(bytes) }
  }

  enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  /// What is sent.
  enum Body: Sendable {
    case none
    case json(Value)
    case yaml(String)
    /// A file, streamed; and its type.
    case file(String, type: String)
  }

  /// Sends a request and takes the answer, whatever its status.
  func send(
    _ method: Method, _ path: String, _ body: Body = .none, headers: [String: String] = [:],
    timeout: TimeAmount = .seconds(120)
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: environment.url + path)
    request.method = HTTPMethod(rawValue: method.rawValue)
    request.headers.add(name: "Authorization", value: environment.authorization)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    switch body {
    case .none: break
    case .json(let value):
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(JSON.bytes(value))
    case .yaml(let text):
      request.headers.add(name: "Content-Type", value: "text/yaml")
      request.body = .bytes(Array(text.utf8))
    case .file(let path, let type):
      request.headers.add(name: "Content-Type", value: type)
      let file = try FileChunks(path)
      request.body = .stream(file, length: .known(file.size))
    }
    do {
      let response = try await http.execute(request, timeout: timeout)
      let body = try await response.body.collect(upTo: 1 << 30)
      return Answer(status: Int(response.status.code), headers: response.headers, bytes: Array(buffer: body))
    } catch  where !(error is DroverError || error is CancellationError) {
      throw unreachable("\(method.rawValue) \(path)", error)
    }
  }

  /// Why there was no answer, and what to do about it.
  func unreachable(_ request: String, _ error: any Error) -> DroverError {
    let failure = ConnectionFailure(error)
    if failure.isDistrust {
      return DroverError(
        .forbidden,
        "the server at \(environment.url) is not trusted: \(failure); give its authority by --ca-cert or DROVER_CA_CERT "
          + "(certificates/ca.crt in the server's state directory)")
    }
    if let local = environment.localServer, LocalServerProcess(local).isSurelyStopped {
      return DroverError(.unavailable, "the server in \(local.state) is not running; 'drover up' starts it")
    }
    return DroverError(
      .unavailable, "the server at \(environment.url) cannot be reached; is it running? (\(request): \(failure))")
  }

  /// Sends a request and expects one of the statuses that mean success.
  func expect(_ method: Method, _ path: String, _ body: Body = .none) async throws -> Answer {
    let answer = try await send(method, path, body)
    guard [200, 201, 204, 206, 302].contains(answer.status) else { throw refusal(answer, "\(method.rawValue) \(path)") }
    return answer
  }

  func get(_ path: String) async throws -> Value { try await expect(.get, path).value() }

  /// Sends a request that starts a task. Returns the task's id.
  func start(_ method: Method, _ path: String, _ body: Body = .none) async throws -> Int {
    let answer = try await send(method, path, body, timeout: .hours(1))
    guard answer.status == 302, let location = answer.headers.first(name: "Location"),
      let id = location.split(separator: "/").last.flatMap({ Int($0) })
    else { throw refusal(answer, "\(method.rawValue) \(path)") }
    return id
  }

  /// What an answer that is no success means.
  func refusal(_ answer: Answer, _ what: String) -> DroverError {
    let text = String(decoding: answer.bytes, as: UTF8.self)
    let description = (try? answer.value()["description"]?.string) ?? text
    switch answer.status {
    case 401:
      return DroverError(
        .forbidden,
        "the server at \(environment.url) does not let user '\(environment.user)' in; set DROVER_CLIENT and "
          + "DROVER_CLIENT_SECRET, or run as root on the server's machine")
    case 404: return DroverError(.notFound, description)
    case 409: return DroverError(.conflict, description)
    default:
      let place = what.prefix { $0 != "?" }
      return DroverError(.invalid, "\(description) (\(place): HTTP \(answer.status))")
    }
  }
}
