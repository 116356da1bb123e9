import Formats

/// A process of a job below a BOSH root: where everything of it lies, and what its container is called.
///
/// External paths are below ``root`` on this machine; inside a container everything is below `/var/vcap`.
public struct JobProcess: Sendable, Hashable {
  /// `/var/vcap`, where everything is inside a container.
  public static let internalRoot = "/var/vcap"

  /// The BOSH root on this machine, without a slash at its end.
  public let root: String
  public let job: String
  public let process: String

  /// - Throws: ``DroverError`` when a name could not be a part of a path.
  public init(root: String = JobProcess.internalRoot, job: String, process: String) throws {
    try Self.check(job, "job")
    try Self.check(process, "process")
    self.root = root
    self.job = job
    self.process = process
  }

  /// Names become parts of paths: none that is empty, has a slash or a zero byte in it, or means a folder by itself.
  static func check(_ name: String, _ kind: String) throws {
    if let reason = problem(ofName: name) {
      throw DroverError(.invalid, "invalid \(kind) name \"\(name)\": \(reason)")
    }
  }

  static func problem(ofName name: String) -> String? {
    if name.isEmpty { return "it is empty" }
    if name == "." || name == ".." { return "it means a folder by itself" }
    if name.utf8.contains(UInt8(ascii: "/")) { return "it must not have a slash in it" }
    if name.utf8.contains(0) { return "it must not have a zero byte in it" }
    return name.utf8.count > 200 ? "it is longer than 200 bytes" : nil
  }

  /// `JOB`, or `JOB.PROCESS` when the two differ.
  public var name: String { job == process ? job : "\(job).\(process)" }
  public var containerID: String { ContainerID.encode(name) }

  // The job's own folders.
  var jobFolder: String { "\(root)/jobs/\(job)" }
  public var configuration: String { "\(jobFolder)/config/bpm.yml" }
  var dataFolder: String { "\(root)/data/\(job)" }
  var storeFolder: String { "\(root)/store/\(job)" }
  var temporaryFolder: String { "\(dataFolder)/tmp" }
  var runFolder: String { "\(root)/sys/run/\(job)" }
  var logFolder: String { "\(root)/sys/log/\(job)" }
  public var outputLog: String { "\(logFolder)/\(process).stdout.log" }
  public var errorLog: String { "\(logFolder)/\(process).stderr.log" }
  var bpmLog: String { "\(logFolder)/bpm.log" }

  // bpm's folders.
  var pidFolder: String { "\(root)/sys/run/bpm/\(job)" }
  public var pidfile: String { "\(pidFolder)/\(process).pid" }
  public var bundle: String { "\(root)/data/bpm/bundles/\(job)/\(process)" }
  static func locksFolder(_ root: String) -> String { "\(root)/data/bpm/locks" }
  /// The one that start, stop and run hold. Always of both names.
  var lock: String { "\(Self.locksFolder(root))/job-\(ContainerID.encode("\(job).\(process)")).lock" }
  /// The one of a shared volume.
  static func volumeLock(_ root: String, _ path: String) -> String {
    "\(locksFolder(root))/vol-\(PathDigest.hex(path)).lock"
  }
  public static func runcRoot(_ root: String) -> String { "\(root)/sys/run/bpm-runc" }

  /// The path that an external path below the root has inside a container.
  func inside(_ path: String) -> String {
    path.hasPrefix(root + "/") ? Self.internalRoot + path.dropFirst(root.count) : path
  }

  /// Every other job and process whose container would have this one's id.
  var namesakes: [(job: String, process: String)] {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    var pairs = [(job: name, process: name)]
    for index in parts.indices.dropFirst() {
      pairs.append((parts[..<index].joined(separator: "."), parts[index...].joined(separator: ".")))
    }
    return pairs.filter {
      ($0.job, $0.process) != (job, process) && Self.problem(ofName: $0.job) == nil
        && Self.problem(ofName: $0.process) == nil
    }
  }
}

/// Container ids: `bpm-` and the name, in which every byte but letters, digits, `_` and `-` is `.` and two hexadecimal
/// digits.
public enum ContainerID {
  private static let prefix = "bpm-"

  public static func encode(_ name: String) -> String {
    var id = prefix
    for byte in name.utf8 {
      let character = Character(Unicode.Scalar(byte))
      if byte < 0x80, character.isLetter || character.isNumber || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      {
        id.append(character)
      } else {
        id += "." + Hex.encode([byte])
      }
    }
    return id
  }

  /// - Throws: ``DroverError`` when it is no id that ``encode(_:)`` makes.
  public static func decode(_ id: String) throws -> String {
    guard id.hasPrefix(prefix) else { throw DroverError(.invalid, "invalid job ID (missing prefix): \"\(id)\"") }
    var bytes: [UInt8] = []
    var rest = Array(id.utf8.dropFirst(prefix.utf8.count))[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: ".") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        throw DroverError(.invalid, "invalid job ID (incomplete escape sequence): \"\(id)\"")
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
