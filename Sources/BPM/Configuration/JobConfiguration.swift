import Files
import Formats
import Processes

/// A job's bpm.yml.
public struct JobConfiguration: Sendable, Hashable {
  public let job: String
  /// Where it was read.
  public let path: String
  public let processes: [ProcessConfiguration]

  /// What is read of a file. A bpm.yml of a megabyte is a mistake.
  static let options = YAML.Options(
    duplicateKeys: .refused, maximumBytes: 1 << 20, maximumDepth: 32, maximumNodes: 100_000)

  /// Reads and checks the text.
  ///
  /// - Throws: ``DroverError`` with the original's text, and job, process, key and line.
  public init(_ bytes: [UInt8], root: String, job: String, path: String) throws {
    var reader = ConfigurationReader()
    let document: YAMLNode?
    do {
      document = try YAML.node(bytes, file: path, options: Self.options)
    } catch let error as DroverError {
      throw DroverError(error.code, "yaml: \(error.message) (job \(job))")
    }
    processes = document.map { reader.processes($0) } ?? []
    if !reader.problems.isEmpty {
      throw DroverError(
        .invalid,
        "yaml: unmarshal errors:\n\(reader.problems.joined(separator: "\n"))\n  in \(path) of job \(job)")
    }
    self.job = job
    self.path = path
    for process in processes { try check(process, root: root) }
  }

  /// Reads and checks the file of a job.
  ///
  /// - Throws: as the other; with code `notFound` when there is no such file.
  public init(root: String, job: String) throws {
    let path = try JobProcess(root: root, job: job, process: job).configuration
    let bytes: [UInt8]
    do {
      bytes = try Files.read(path, limit: Self.options.maximumBytes)
    } catch let error as DroverError where error.code == .notFound {
      throw DroverError(.notFound, "open \(path): no such file or directory")
    } catch let error as DroverError {
      throw DroverError(error.code, "\(error.message) (job \(job))")
    }
    try self.init(bytes, root: root, job: job, path: path)
  }

  /// - Throws: ``DroverError`` when the process breaks a rule.
  func check(_ process: ProcessConfiguration, root: String) throws {
    guard let violation = ConfigurationRules(root: root, job: job).violation(process) else { return }
    throw error(violation.text, process, violation.key)
  }

  /// An error about a key of a process.
  func error(_ text: String, _ process: ProcessConfiguration, _ key: String) -> DroverError {
    DroverError(.invalid, "\(text) (job \(job), \(process.place(key)) of \(path))")
  }

  /// The first process of that name.
  ///
  /// - Throws: ``DroverError`` when there is none.
  public func process(_ name: String) throws -> ProcessConfiguration {
    if let process = processes.first(where: { $0.name == name }) { return process }
    throw DroverError(.notFound, "process \"\(name)\" not present in job configuration (\(path))")
  }
}
