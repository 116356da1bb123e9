import Formats

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
  /// What is kept of it in a file: all but its arguments and its environment.
  var kept: ScriptSpec {
    var kept = self
    kept.arguments = Array(arguments.prefix(1))
    kept.environment = [:]
    return kept
  }

  /// The form in which the runner (`runner.c`) is handed what is kept nowhere: strings `NAME=VALUE` with a NUL behind each, an
  /// `argument` and a `variable` for each of them.
  ///
  /// - Throws: ``DroverError`` when there is no program, or a text has a NUL in it, which no program can be given.
  func inputBytes() throws -> [UInt8] {
    guard arguments.first?.isEmpty == false else {
      throw DroverError(.invalid, "running a script: it has no name")
    }
    return try bytes(
      arguments.map { ("argument", $0) }
        + environment.sorted { $0.key < $1.key }.map { ("variable", "\($0.key)=\($0.value)") })
  }

  /// The form in which the rest is kept, which also the runner reads: the same.
  func keptBytes() throws -> [UInt8] {
    var fields = [
      ("program", arguments.first ?? ""), ("directory", directory), ("niceness", String(niceness)),
      ("umask", String(umask)),
    ]
    if let uid { fields.append(("uid", String(uid))) }
    if let gid { fields.append(("gid", String(gid))) }
    if case .append(let path) = stdout { fields.append(("stdout", path)) }
    if case .append(let path) = stderr { fields.append(("stderr", path)) }
    if let cgroup { fields.append(("cgroup_procs", "\(cgroup)/\(Self.processes)")) }
    if let outputLimit { fields.append(("output_limit", String(outputLimit))) }
    return try bytes(fields)
  }

  private func bytes(_ fields: [(String, String)]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for (name, text) in fields {
      guard !text.utf8.contains(0) else {
        throw DroverError(
          .invalid,
          "running \(arguments.first ?? "a script"): its \(name) '\(text.prefix { $0 != "\0" }.prefix(100))…' has a NUL in it, "
            + "with which programs cannot be given it; leave it out")
      }
      bytes += Array("\(name)=\(text)\0".utf8)
    }
    return bytes
  }

  private static let processes = "cgroup.procs"

  /// - Throws: ``DroverError`` when the bytes are not what ``keptBytes()`` makes.
  init(written bytes: [UInt8]) throws {
    guard bytes.last == 0 else { throw DroverError(.invalid, "reading what a script needs: the end is missing") }
    self.init([])
    for field in bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false) {
      let (name, text) = try Self.halves(String(decoding: field, as: UTF8.self)[...])
      func number<Number: FixedWidthInteger>() throws -> Number {
        guard let number = Number(text) else { throw Self.unknown(name, text) }
        return number
      }
      switch name {
      case "program": arguments = [String(text)]
      case "directory": directory = String(text)
      case "niceness": niceness = try number()
      case "umask": umask = try number()
      case "uid": uid = try number()
      case "gid": gid = try number()
      case "stdout": stdout = .append(String(text))
      case "stderr": stderr = .append(String(text))
      case "cgroup_procs": cgroup = String(text.dropLast(Self.processes.utf8.count + 1))
      case "output_limit": outputLimit = try number()
      default: throw Self.unknown(name, text)
      }
    }
  }

  private static func halves(_ text: Substring) throws -> (Substring, Substring) {
    guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { throw unknown(text, "") }
    return (text[..<equals], text[text.utf8.index(after: equals)...])
  }

  private static func unknown(_ name: Substring, _ text: Substring) -> DroverError {
    DroverError(.invalid, "reading what a script needs: found \(name.prefix(100))=\(text.prefix(100))")
  }
}
