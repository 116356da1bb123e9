import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

/// One of this package's programs while it runs, with what it writes in files.
final class TestProgram {
  private let child: ChildProcess
  private let outputFile: String
  private let errorFile: String
  private var isEnded = false

  /// - Parameter folder: where its output goes; one folder for one program.
  init(_ program: String, _ arguments: [String], folder: String, environment: [String: String] = [:]) throws {
    outputFile = "\(folder)/\(program).out"
    errorFile = "\(folder)/\(program).err"
    let descriptors = [outputFile, errorFile].map { (path: String) in
      open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    }
    defer { for descriptor in descriptors { close(descriptor) } }
    child = try ChildProcess(
      [TestProcess.path(of: program)] + arguments,
      environment: environment.merging(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder]) { own, _ in own },
      output: descriptors[0], errors: descriptors[1])
  }

  var output: String { Files.textIfPresent(outputFile) ?? "" }
  var errors: String { Files.textIfPresent(errorFile) ?? "" }

  func signal(_ number: Int32) { child.signal(number) }

  /// Sends it a signal and waits for its end.
  func end(by signal: Int32 = SIGTERM) async throws -> Ending {
    child.signal(signal)
    isEnded = true
    return try await child.ending()
  }

  /// Waits until it catches a signal, instead of being killed by it.
  func minds(_ signal: Int32) async throws {
    try await until {
      let lines = Files.textIfPresent("/proc/\(child.pid)/status")?.split(separator: "\n") ?? []
      guard !lines.contains(where: { $0.hasPrefix("State:\tZ") }),
        let caught = lines.first(where: { $0.hasPrefix("SigCgt:") })?.split(separator: "\t").last
      else {
        throw DroverError(.failed, "it has ended: \(errors)")
      }
      return (UInt64(caught, radix: 16) ?? 0) >> (signal - 1) & 1 == 1
    }
  }

  /// To be called at the end, whatever happened.
  func kill() async {
    if !isEnded { _ = try? await end(by: SIGKILL) }
  }

  /// Waits until it answers.
  func isReady(_ url: String) async throws {
    for _ in 0..<30_000 {
      if let answer = try? await TestHTTP.send("GET", url), answer.status == 200 { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw DroverError(.timeout, "waiting for \(url): \(errors)")
  }
}

extension TestProgram {
  /// Runs a test with a program that is ended whatever happens.
  static func with(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    _ test: (TestProgram) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let running = try TestProgram(program, arguments, folder: folder, environment: environment)
      do {
        try await test(running)
      } catch {
        Issue.record("\(program): \(error)\n\(running.errors)")
      }
      await running.kill()
    }
  }
}
