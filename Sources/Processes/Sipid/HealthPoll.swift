import Formats
public import Surroundings

/// Asks for the health of a service until it is healthy or time is up.
public struct HealthPoll: Sendable {
  public let url: String
  let timeout: Duration
  let frequency: Duration
  let surroundings: Surroundings

  /// A single question takes no longer.
  public static let longestQuestion: Duration = .seconds(30)

  /// - Throws: for what could never become healthy: a URL that is none, a frequency of 0 and below.
  public init(url: String, timeout: Duration, frequency: Duration, surroundings: Surroundings = .system) throws {
    if let reason = Self.refusal(url) { throw DroverError(.invalid, "parse \(JSON.text(.string(url))): \(reason)") }
    guard frequency > .zero else {
      throw DroverError(.invalid, "polling-frequency must be more than 0, such as 5s or 500ms")
    }
    self.url = url
    self.timeout = timeout
    self.frequency = frequency
    self.surroundings = surroundings
  }

  /// - Parameter isHealthy: asks once; gets the URL and how long that may take.
  /// - Throws: when time is up.
  public func run(_ isHealthy: (String, Duration) async -> Bool) async throws {
    let deadline = surroundings.elapsed() + timeout
    var next = surroundings.elapsed()
    var attempts = 0
    while next < deadline {
      try await surroundings.sleep(max(.zero, next - surroundings.elapsed()))
      let rest = deadline - surroundings.elapsed()
      guard rest > .zero else { break }
      if await isHealthy(url, min(rest, Self.longestQuestion)) { return }
      attempts += 1
      // An answer that took longer than a turn is followed by the next question at once, not by all that were missed.
      next = max(next + frequency, surroundings.elapsed())
    }
    try await surroundings.sleep(max(.zero, deadline - surroundings.elapsed()))
    throw DroverError(.timeout, "healthcheck unhealthy (url '\(url)' was not healthy after \(attempts) attempts)")
  }

  /// Why a text is no URL that can be asked.
  static func refusal(_ url: String) -> String? {
    if url.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "net/url: invalid control character in URL" }
    let scheme = url.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    let rest = url[scheme.endIndex...]
    guard rest.first == ":", scheme.first?.isNumber != true, !"+-.".contains(scheme.first ?? "a") else {
      let segment = url.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      return segment.contains(":")
        ? "first path segment in URL cannot contain colon" : "unsupported protocol scheme \"\""
    }
    if scheme.isEmpty { return "missing protocol scheme" }
    guard ["http", "https"].contains(scheme.lowercased()) else { return "unsupported protocol scheme \"\(scheme)\"" }
    guard rest.hasPrefix("://"), let first = rest.dropFirst(3).first, !"/?#:".contains(first) else {
      return "no Host in request URL"
    }
    return nil
  }
}
