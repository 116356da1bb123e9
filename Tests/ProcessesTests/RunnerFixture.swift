import Glibc
import Processes

/// The executable that is the runner; it lies beside the one that runs the tests.
enum RunnerFixture {
  static let path: String = {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/runner-fixture"
  }()

  static func runner(_ folder: String) -> ScriptRunner {
    ScriptRunner(directory: "\(folder)/runs", runnerProgram: path)
  }
}
