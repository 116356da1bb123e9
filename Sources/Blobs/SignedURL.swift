import Crypto
import Formats
public import Surroundings

/// Makes and checks URLs that let whoever has them do one thing with one blob for some time
/// (`reference/director.md F.3`): `ENDPOINT/signed/<folder>/<id>?st=SIGNATURE&ts=SECONDS&e=LIFETIME`.
///
/// The signature is the HMAC-SHA256, in URL-safe base64 without padding, of the verb, `<folder>/<id>`, the time of
/// signing and the lifetime, joined without anything between them.
public struct SignedURL: Sendable {
  private let key: SymmetricKey

  /// - Parameter secret: what only the server knows, at least 32 random bytes.
  public init(secret: [UInt8]) { key = SymmetricKey(data: secret) }

  /// The longest time a URL may be good for, in seconds: a week.
  public static let longestLifetime = 604_800
  /// Seconds that the signer's clock may be ahead.
  static let clockSkew = 300

  /// What the holder may do.
  public enum Verb: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case put = "PUT"
    case head = "HEAD"
  }

  /// A URL for a blob.
  ///
  /// - Parameters:
  ///   - endpoint: `https://host:port`, perhaps with a path; without a slash at the end.
  ///   - lifetime: whole seconds from `now` on, at most ``longestLifetime``.
  public func url(
    _ verb: Verb, _ id: String, endpoint: String, now: Timestamp, lifetime: Duration = .seconds(86_400)
  ) throws -> String {
    try BlobID.check(id)
    guard (1...Int64(Self.longestLifetime)).contains(lifetime.components.seconds) else {
      throw DroverError(.invalid, "signing a URL for blob '\(id)': a lifetime of \(lifetime) is not allowed")
    }
    let (start, seconds) = (String(now.seconds), String(lifetime.components.seconds))
    let object = "\(BlobID.folder(id))/\(id)"
    let signature = Base64.encode(code(verb.rawValue, object, start, seconds), .url)
    return "\(endpoint)/signed/\(object)?st=\(signature)&ts=\(start)&e=\(seconds)"
  }

  /// Checks a request for such a URL and returns the blob's id.
  ///
  /// - Parameters:
  ///   - verb: the request's method.
  ///   - folder: the part of the path before the id.
  ///   - parameters: the query's `st`, `ts` and `e`.
  /// - Throws: `forbidden`, without saying which part is wrong unless the URL was ours and has expired.
  public func verify(
    _ verb: String, folder: String, id: String, parameters: (st: String?, ts: String?, e: String?), now: Timestamp
  ) throws -> String {
    let refusal = DroverError(.forbidden, "using a signed URL for blob '\(id)': the signature is not valid")
    try BlobID.check(id)
    guard let given = parameters.st.flatMap(Base64.decode), let start = parameters.ts, let seconds = parameters.e,
      folder == BlobID.folder(id), let from = Self.number(start), let lifetime = Self.number(seconds),
      HMAC<SHA256>.isValidAuthenticationCode(
        given, authenticating: message(verb, "\(folder)/\(id)", start, seconds), using: key)
    else { throw refusal }
    // The parts are joined without separators, so a digit moved from one to its neighbour keeps the signature: that makes
    // a time of signing far in the past or the future, or a long lifetime, none of which is taken.
    guard from <= now.seconds + Self.clockSkew, lifetime <= Self.longestLifetime else { throw refusal }
    guard now.seconds - from < lifetime else {
      throw DroverError(.forbidden, "using a signed URL for blob '\(id)': it expired; ask for a new one")
    }
    return id
  }

  private func code(_ verb: String, _ object: String, _ start: String, _ seconds: String) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: message(verb, object, start, seconds), using: key))
  }

  private func message(_ verb: String, _ object: String, _ start: String, _ seconds: String) -> [UInt8] {
    Array("\(verb)\(object)\(start)\(seconds)".utf8)
  }

  /// A number of seconds as this type writes it: up to 12 digits, so that arithmetic on it cannot overflow.
  private static func number(_ text: String) -> Int? {
    guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.first != "0"
    else { return nil }
    return Int(text)
  }
}
