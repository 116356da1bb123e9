import Files
import Formats
import Glibc

/// The file to which the programs of a service write: so that a failure can say why, and a process that inherits it
/// can go on writing whatever becomes of the agent.
struct ServiceLog: Sendable, Hashable {
  let path: String

  /// When it is longer than this, it begins anew with the next program.
  static let limit = 1 << 20

  init(service: String, paths: VMPaths) { path = "\(paths.logs(job: "monit"))/\(service).log" }

  struct Output {
    let descriptor: Int32
    func close() { _ = Glibc.close(descriptor) }
  }

  /// Nil when it cannot be written: then nothing is kept, which is no reason not to start a service.
  func open() -> Output? {
    if let slash = path.lastIndex(of: "/") { try? Files.makeFolder(String(path[..<slash]), mode: 0o750) }
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
    let descriptor = Glibc.open(path, flags | (size > Self.limit ? O_TRUNC : 0), 0o640)
    return descriptor < 0 ? nil : Output(descriptor: descriptor)
  }

  var size: Int { (try? Files.size(path)) ?? 0 }

  /// The last lines that were written since then, on one line.
  func lastLines(since start: Int, count: Int = 3) -> String {
    let end = size
    let from = max(start, end - 4096)
    guard end > from, let bytes = try? Files.read(path, offset: from, maximum: end - from) else { return "" }
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).suffix(count)
    return String(lines.joined(separator: "; ").suffix(500))
  }
}
