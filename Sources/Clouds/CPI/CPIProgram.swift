import Files
import Formats
import Glibc
public import Logging
public import Surroundings

/// `drover-cpi`: the runc cloud as a CPI executable.
///
/// ```
/// drover-cpi --config FILE        reads one request from stdin, prints one answer
/// ```
///
/// The file is YAML or JSON: `directory` (where the cloud keeps everything), `name` (the server's), `agent` (fallbacks
/// for `mbus`, `blobstore`, `ntp`). The same members in the request's `context` win, as a CPI config's properties do.
public enum CPIProgram {
  /// - Returns: the exit status: 0 when there is an answer, whatever it says; 1 when the program was called wrongly.
  public static func run(arguments: [String], surroundings: Surroundings, logger: Logger) async -> Int32 {
    do {
      guard let path = try configurationPath(arguments) else {
        write(1, usage)
        return 0
      }
      let file = try FieldReader(YAML.parse(Files.read(path), file: path))
      let answer: CPIResponse
      do {
        let request = try CPIRequest(readInput())
        let cloud = RuncCloud(
          configuration: try configuration(file, request.context), surroundings: surroundings, logger: logger)
        // A call like others: a director that asks after a reboot wants to find its VMs as they were.
        try await cloud.recoverAfterBoot()
        answer = await CPIDispatcher(cloud).answer(request)
      } catch {
        answer = CPIResponse(error: CloudError(.cpiError, "\(error)"))
      }
      write(1, answer.encoded())
      return 0
    } catch {
      write(2, "drover-cpi: \(error)\n")
      return 1
    }
  }

  static let usage = """
    usage: drover-cpi --config FILE
    Reads one CPI request (JSON, API version 2) from standard input and prints the answer.
    FILE has: directory (where VMs, disks and stemcells are kept), name (of the server; default drover),
    agent (fallbacks for VMs: mbus, blobstore, ntp).

    """

  /// Nil when help was asked for.
  static func configurationPath(_ arguments: [String]) throws -> String? {
    var arguments = arguments[...]
    var path: String?
    while let argument = arguments.popFirst() {
      switch argument {
      case "-h", "--help": return nil
      case "--config", "-configPath", "-c":
        guard let value = arguments.popFirst() else { throw DroverError(.invalid, "\(argument): expected a file") }
        path = value
      case _ where argument.hasPrefix("--config="): path = String(argument.dropFirst("--config=".count))
      case _ where !argument.hasPrefix("-") && path == nil: path = argument
      default: throw DroverError(.invalid, "unknown argument \(argument); try --help")
      }
    }
    guard let path else { throw DroverError(.invalid, "no configuration; call it with --config FILE") }
    return path
  }

  static func configuration(_ file: FieldReader, _ context: ValueObject) throws -> RuncCloud.Configuration {
    let reader = try FieldReader(.object(file.object.merging(context)), at: file.path)
    return RuncCloud.Configuration(
      name: try reader.optionalString("name") ?? "drover", directory: try reader.string("directory"),
      agent: reader.value("agent")?.object ?? [:], runc: try reader.optionalString("runc") ?? "runc")
  }

  private static func readInput() throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw DroverError(.failed, "reading the request from standard input") }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
      guard bytes.count <= 64 << 20 else { throw DroverError(.tooLarge, "reading the request: more than 64 MB") }
    }
  }

  private static func write(_ descriptor: Int32, _ text: String) { write(descriptor, Array(text.utf8)) }

  private static func write(_ descriptor: Int32, _ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
