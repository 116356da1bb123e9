public import Formats
public import Releases

/// What a manifest says of the runs of an errand: an entry of `errands` at its top.
///
/// An entry that says on what it runs (jobs, VM, networks) also defines the errand, as an instance group; any other one
/// speaks of an errand that the deployment has anyway. Several entries may speak of one errand.
public struct ErrandPolicy: Sendable, Hashable, Codable {
  /// Unique in the manifest.
  public var name: String
  /// The errand that is run, a job or an instance group.
  public var errand: String
  /// For runs that bring none of their own.
  public var arguments: [String]
  /// For runs, under what they bring of their own.
  public var environment: [String: String]
  /// After so many seconds a script is ended, unless the run says otherwise; nil for never.
  public var timeoutSeconds: Int?
  /// On how many instances it runs; nil for what runs of errands do anyway.
  public var instances: Int?
  /// On how many of them at once.
  public var parallel: Int?
  /// Whether the first failure ends the others.
  public var failsFast: Bool?
  /// How many bytes of each stream are kept from the beginning; nil for the server's own limit.
  public var outputLimit: Int?
  /// When the director runs it by itself.
  public var triggers: [ErrandTrigger]
  /// Whether the work that triggers it waits for it, and fails when it fails.
  public var isRequired: Bool
  /// When the director runs it again and again.
  public var schedule: ErrandSchedule?

  /// What runs need from the pools, over what the job says.
  public var leases: [ErrandLease]

  /// The keys of an entry that are not an instance group's; `instances` is both.
  static let keys: Set<String> = [
    "errand", "arguments", "environment", "timeout", "parallel", "fail_fast", "output_limit", "on", "required",
    "schedule", "leases",
  ]

  private static let groupKeys = [
    "templates", "template", "jobs", "release", "resource_pool", "vm_type", "stemcell", "networks", "lifecycle",
  ]

  /// What an entry says of runs, without what defines the errand; nil when it says nothing.
  static func alone(_ entry: FieldReader) -> Value? {
    // As many as one is what all errands have.
    let kept = entry.object.filter { keys.contains($0.key) || $0.key == "instances" && $0.value != 1 }
      .map { ($0.key, $0.value) }
    guard !kept.isEmpty || !defines(entry), let name = entry.value("name") else { return nil }
    return .object(ValueObject([("name", name)] + kept))
  }

  /// Whether an entry defines the errand that it speaks of.
  static func defines(_ entry: FieldReader) -> Bool {
    entry.value("errand") == nil && groupKeys.contains { entry.value($0) != nil }
  }

  init(_ reader: FieldReader) throws {
    name = try reader.identifier("name")
    errand = reader.value("errand") == nil ? name : try reader.identifier("errand")
    arguments = try reader.strings("arguments")
    environment = try reader.texts("environment")
    timeoutSeconds = try reader.optionalSeconds("timeout")
    instances = try reader.optionalCount("instances")
    parallel = try reader.optionalPositiveInt("parallel")
    failsFast = try reader.optionalBool("fail_fast")
    outputLimit = try reader.optionalOutputLimit("output_limit")
    triggers = try ErrandTrigger.read(reader, "on")
    isRequired = try reader.optionalBool("required") ?? false
    schedule = try ErrandSchedule.read(reader, "schedule")
    if isRequired, triggers.isEmpty {
      throw reader.error("required", "nothing waits for an errand without 'on'; say when it is to run")
    }
    leases = try reader.leases()
    if !Self.defines(reader) { try reader.allowOnly(Self.keys.union(["name", "instances"])) }
  }
}

extension FieldReader {
  /// How much of an output is kept, `10M` or a number of bytes, at least 1 KiB; nil when absent.
  public func optionalOutputLimit(_ name: String) throws -> Int? {
    guard let text = try optionalScalarText(name) else { return nil }
    let size: ByteSize
    do { size = try ByteSize(text) } catch { throw self.error(name, "\(error)") }
    guard size.bytes >= 1024 else { throw error(name, "expected at least 1K, found '\(text)'") }
    return size.bytes
  }
}
