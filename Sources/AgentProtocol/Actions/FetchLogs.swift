public import Formats

/// Which logs: the arguments of `fetch_logs`, `fetch_logs_with_signed_url` and `bundle_logs` (reference/agent.md 11).
public struct LogRequest: Sendable, Hashable {
  /// `job`, `agent`, `system`, or several joined by commas.
  public var types: String
  /// Globs; none means everything.
  public var filters: [String]
  /// Where to put the archive, for `fetch_logs_with_signed_url`.
  public var uploadURL: String
  public var blobstoreHeaders: [String: String]
  /// An archive that is not longer than so many bytes may come with the answer and need not be put there. An extension of
  /// ours: other agents do not look at it.
  public var archiveLimit: Int
  /// Who shall own the archive, for `bundle_logs`.
  public var owner: String

  public init(
    types: String, filters: [String] = [], uploadURL: String = "", blobstoreHeaders: [String: String] = [:],
    archiveLimit: Int = 0, owner: String = ""
  ) {
    self.types = types
    self.filters = filters
    self.uploadURL = uploadURL
    self.blobstoreHeaders = blobstoreHeaders
    self.archiveLimit = archiveLimit
    self.owner = owner
  }

  /// The positional arguments of `fetch_logs`; the filters may be null.
  public init(arguments: [Value]) throws {
    guard arguments.count >= 2 else {
      throw DroverError(.invalid, AgentTexts.notEnoughArguments(expected: 2, got: arguments.count))
    }
    let reader = try FieldReader(["types": arguments[0], "filters": arguments[1]], at: "fetch_logs")
    self.init(types: try reader.string("types"), filters: try reader.strings("filters"))
  }

  /// The one argument of `fetch_logs_with_signed_url` and of `bundle_logs`.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "log request")
    self.init(
      types: try reader.string("log_type"), filters: try reader.strings("filters"),
      uploadURL: try reader.optionalString("signed_url") ?? "",
      blobstoreHeaders: try reader.stringMap("blobstore_headers"),
      archiveLimit: min(try reader.optionalInt("archive_limit") ?? 0, AgentLimits.maximumArchiveBytes),
      owner: try reader.optionalString("owning_user") ?? "")
  }

  /// The arguments of `fetch_logs`.
  public var arguments: [Value] { [.string(types), Value(filters)] }

  /// The argument of `fetch_logs_with_signed_url`.
  public var signedArgument: Value {
    var object: ValueObject = [
      "signed_url": .string(uploadURL), "log_type": .string(types), "filters": Value(filters),
      "blobstore_headers": Value(blobstoreHeaders),
    ]
    if archiveLimit > 0 { object["archive_limit"] = .int(archiveLimit) }
    return .object(object)
  }

  /// The argument of `bundle_logs`.
  public var bundleArgument: Value {
    ["owning_user": .string(owner), "log_type": .string(types), "filters": Value(filters)]
  }
}

/// Where fetched logs are.
public struct LogResult: Sendable, Hashable {
  /// Absent when they were put to a signed URL.
  public var blobstoreID: String?
  /// A multi-digest.
  public var sha1: String
  /// The archive itself, which was put nowhere then.
  public var archive: [UInt8]?

  public init(blobstoreID: String?, sha1: String, archive: [UInt8]? = nil) {
    self.blobstoreID = blobstoreID
    self.sha1 = sha1
    self.archive = archive
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "fetch_logs result")
    self.init(blobstoreID: try reader.optionalString("blobstore_id"), sha1: try reader.string("sha1"))
    archive = try reader.optionalString("archive").map { text in
      guard let bytes = Base64.decode(text) else { throw reader.error("archive", "expected base64") }
      return bytes
    }
  }

  public var value: Value {
    var result = ValueObject()
    if let blobstoreID { result["blobstore_id"] = .string(blobstoreID) }
    result["sha1"] = .string(sha1)
    if let archive { result["archive"] = .string(Base64.encode(archive)) }
    return .object(result)
  }
}
