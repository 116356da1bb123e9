internal import Formats
internal import Subprocess
internal import SystemPackage

/// Running a program to its end and looking at what it said.
enum Command {
  struct Result {
    /// The exit code; 128 and the signal when it died of one.
    let status: Int
    let output: String
    let errors: String
  }

  /// - Throws: ``DroverError`` when the program cannot be started.
  static func run(
    _ program: String, _ arguments: [String], in folder: String, environment: [String: String] = [:]
  ) async throws -> Result {
    do {
      let overrides = Dictionary(
        uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), String?.some($0.value)) })
      let result = try await Subprocess.run(
        .name(program), arguments: Arguments(arguments), environment: .inherit.updating(overrides),
        workingDirectory: FilePath(folder), output: .string(limit: 16 << 20), error: .string(limit: 16 << 20))
      let status =
        switch result.terminationStatus {
        case .exited(let code): Int(code)
        case .signaled(let signal): 128 + Int(signal)
        }
      return Result(status: status, output: result.standardOutput, errors: result.standardError)
    } catch let error as SubprocessError {
      throw DroverError(.failed, "cannot run \(program)", cause: error)
    }
  }
}
