public import Formats

/// What a script needs to run: everything, since it gets nothing from the process that starts it.
public struct ScriptSpec: Sendable, Hashable {
  /// The program, by its path, and its arguments.
  public var arguments: [String]
  /// The whole environment.
  public var environment: [String: String]
  /// The working directory.
  public var directory: String
  /// Added to the runner's niceness.
  public var niceness: Int
  /// The user and group to run as; nil is the runner's own.
  public var uid: UInt32?
  public var gid: UInt32?
  public var umask: UInt32
  /// Where its output goes.
  public var stdout: Output
  public var stderr: Output
  /// A cgroup folder that the script (not the runner) is put into.
  public var cgroup: String?
  /// How much of each of the run's own output files is kept (``OutputLimit``); nil for all.
  public var outputLimit: Int?

  /// Where a stream of a script goes.
  public enum Output: Sendable, Hashable {
    /// A file of the run itself, gone when the run is removed.
    case own
    /// To the end of this file, which is made with mode 0640 when it is not there.
    case append(String)
  }

  public init(
    _ arguments: [String], environment: [String: String] = [:], directory: String = "/", niceness: Int = 0,
    uid: UInt32? = nil, gid: UInt32? = nil, umask: UInt32 = 0o022, stdout: Output = .own, stderr: Output = .own,
    cgroup: String? = nil, outputLimit: Int? = nil
  ) {
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.niceness = niceness
    self.uid = uid
    self.gid = gid
    self.umask = umask
    self.stdout = stdout
    self.stderr = stderr
    self.cgroup = cgroup
    self.outputLimit = outputLimit
  }
}

extension ScriptSpec {
  /// The form in which it is kept in a file.
  public var value: Value {
    var object: ValueObject = [
      "arguments": Value(arguments),
      "environment": .object(
        ValueObject(environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
      "directory": .string(directory), "niceness": .int(niceness), "umask": .int(Int(umask)),
    ]
    object["uid"] = uid.map { .int(Int($0)) }
    object["gid"] = gid.map { .int(Int($0)) }
    if case .append(let path) = stdout { object["stdout"] = .string(path) }
    if case .append(let path) = stderr { object["stderr"] = .string(path) }
    object["cgroup"] = cgroup.map { .string($0) }
    object["output_limit"] = outputLimit.map { .int($0) }
    return .object(object)
  }

  /// - Throws: ``DroverError`` naming the field that is not what ``value`` makes.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value)
    let variables = try reader.optionalObject("environment") ?? ValueObject()
    self.init(
      try reader.strings("arguments"),
      environment: try Dictionary(
        variables.map { name, value in
          guard let text = value.string else { throw reader.error("environment.\(name)", "expected a string") }
          return (name, text)
        }, uniquingKeysWith: { _, last in last }),
      directory: try reader.string("directory"), niceness: try reader.int("niceness"),
      uid: try reader.optionalInt("uid").map { UInt32(clamping: $0) },
      gid: try reader.optionalInt("gid").map { UInt32(clamping: $0) },
      umask: UInt32(clamping: try reader.int("umask")),
      stdout: try reader.optionalString("stdout").map(Output.append) ?? .own,
      stderr: try reader.optionalString("stderr").map(Output.append) ?? .own,
      cgroup: try reader.optionalString("cgroup"), outputLimit: try reader.optionalInt("output_limit"))
  }
}
