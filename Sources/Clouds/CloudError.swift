/// An error as a CPI reports it: a type name that callers act on, a message, and whether trying again may help.
///
/// reference/director.md C.9.
public struct CloudError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds that callers tell apart. Unknown ones of foreign CPIs are kept as they came.
  public struct Kind: RawRepresentable, Sendable, Hashable {
    /// The full name, such as `Bosh::Clouds::VMNotFound`.
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    private static func bosh(_ name: String) -> Kind { Kind(rawValue: "Bosh::Clouds::\(name)") }
    public static let cpiError = bosh("CpiError")
    public static let notSupported = bosh("NotSupported")
    public static let notImplemented = bosh("NotImplemented")
    public static let cloudError = bosh("CloudError")
    public static let vmNotFound = bosh("VMNotFound")
    public static let networkNotFound = bosh("NetworkNotFound")
    public static let noDiskSpace = bosh("NoDiskSpace")
    public static let diskNotAttached = bosh("DiskNotAttached")
    public static let diskNotFound = bosh("DiskNotFound")
    /// With `okToRetry`, a caller tries up to five times.
    public static let vmCreationFailed = bosh("VMCreationFailed")
    /// What several CPIs answer for a method that they do not have.
    public static let invalidCall = Kind(rawValue: "InvalidCall")
  }

  public let kind: Kind
  public let message: String
  public let okToRetry: Bool

  public init(_ kind: Kind, _ message: String, okToRetry: Bool = false) {
    self.kind = kind
    self.message = message
    self.okToRetry = okToRetry
  }

  public var description: String { "\(message) (\(kind.rawValue))" }

  /// Whether this says that the CPI does not have the method, in any of the ways in use.
  public var isNotImplemented: Bool {
    switch kind {
    case .notImplemented, .invalidCall: true
    case .cloudError: message.contains("Invalid Method:")
    default: false
    }
  }
}
