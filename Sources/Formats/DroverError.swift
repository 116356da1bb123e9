/// What went wrong: a code for programs, a message for people, and what caused it.
///
/// A message says what was being done, to what, what was found, and what to do about it. Faces map the code to an HTTP
/// status or an exit code once, at the edge.
public struct DroverError: Error, Sendable, CustomStringConvertible {
  /// The kinds of failure that callers tell apart.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    public let description: String
    private init(_ description: String) { self.description = description }

    /// The caller gave something that is not allowed.
    public static let invalid = Code("invalid")
    /// The thing does not exist.
    public static let notFound = Code("not_found")
    /// The thing exists already, changed meanwhile, or is in use.
    public static let conflict = Code("conflict")
    /// The caller may not do this.
    public static let forbidden = Code("forbidden")
    /// The other side cannot be reached or is not ready; trying again may help.
    public static let unavailable = Code("unavailable")
    /// Nothing was heard in time.
    public static let timeout = Code("timeout")
    /// Somebody asked for it to stop.
    public static let cancelled = Code("cancelled")
    /// What was stored or received is damaged.
    public static let corrupt = Code("corrupt")
    /// The other side does not know how to do this.
    public static let unsupported = Code("unsupported")
    /// Too much: a size, a depth or a count beyond its limit.
    public static let tooLarge = Code("too_large")
    /// The operating system or an engine refused.
    public static let failed = Code("failed")
  }

  public let code: Code
  public let message: String
  /// What caused it, if it was another error.
  public let cause: (any Error)?
  /// The number that the director's API has for this error (reference/director.md A.1), if it has one of its own.
  public let number: Int?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil, number: Int? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
    self.number = number
  }

  /// The messages of this error and of its causes, joined by ": ", outermost first.
  public var description: String {
    guard let cause else { return message }
    return "\(message): \(cause)"
  }
}
