import Crypto
import Formats
import HTTPTypes
public import Hummingbird

/// The users that may use the API, with basic authentication (reference/director.md A.1).
public struct Users: Sendable {
  private let digests: [String: SHA256Digest]

  /// - Parameter passwords: by user name.
  public init(_ passwords: [String: String]) {
    digests = passwords.mapValues { SHA256.hash(data: Array($0.utf8)) }
  }

  /// The user that an `Authorization` header names, if the password is right. Takes as long for a wrong user.
  func user(authorization: String?) -> String? {
    guard let authorization, authorization.lowercased().hasPrefix("basic "),
      let bytes = Base64.decode(String(authorization.dropFirst(6))),
      let separator = bytes.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    let name = String(decoding: bytes[..<separator], as: UTF8.self)
    let digest = SHA256.hash(data: Array(bytes[(separator + 1)...]))
    // Comparing digests takes the same time wherever two passwords differ.
    guard let expected = digests[name], expected == digest else { return nil }
    return name
  }
}

/// Who asks.
public struct DirectorRequestContext: RequestContext {
  public var coreContext: CoreRequestContextStorage
  /// The user, nil for requests that need none.
  public var user: String?

  public init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
  }

  /// The user's name, for records.
  var userName: String { user ?? "anonymous" }
}

/// Lets nobody in without a valid user, except for `/info`.
struct Authentication: RouterMiddleware {
  typealias Context = DirectorRequestContext
  let users: Users

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.user = users.user(authorization: request.headers[.authorization])
    if context.user == nil, request.uri.path != "/info" {
      return Response(
        status: .unauthorized,
        headers: [.wwwAuthenticate: "Basic realm=\"BOSH Director\"", .contentType: "text/plain"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: "Not authorized: '\(request.uri.path)'\n")))
    }
    return try await next(request, context)
  }
}
