import ArgumentParser
import Formats
import Glibc
import PoolsClient
import PoolsCommands
import Processes
import Surroundings
import Synchronization

/// Where the pools are, and who asks.
struct PoolsOptions: ParsableArguments {
  @Option(
    help: """
      The address of the pools' API (default: $DROVER_POOLS_URL; those of this machine's server, whose state directory \
      is $DROVER_STATE or /var/lib/drover, when it runs and has some; http://127.0.0.1:8080).
      """)
  var boskosUrl: String?
  @Option(help: "The user, when the server wants one.") var username = ""
  @Option(help: "A file with the user's password.") var passwordFile = ""

  func client(owner: String, options: PoolsClient.Options = .init()) throws -> PoolsClient {
    guard username.isEmpty == passwordFile.isEmpty else {
      throw DroverError(.invalid, "--username and --password-file belong together: give both, or neither")
    }
    let variables = GlobalOptions.variables
    let server = LocalServer(state: GlobalOptions.stateDirectory(nil, variables))
    return try PoolsClient(
      url: Self.url(flag: boskosUrl, variables: variables, local: try server.poolsAddress()), owner: owner,
      username: username,
      passwordFile: passwordFile.isEmpty ? "" : absolutePath(passwordFile), options: options)
  }

  /// The pools that are meant: those that the flag says, or else the environment, or else this machine's server's, or else
  /// those where Boskos usually is.
  static func url(flag: String?, variables: [String: String], local: @autoclosure () throws -> String?) rethrows
    -> String
  {
    let given = [flag, variables["DROVER_POOLS_URL"]].compactMap { $0 }.first { !$0.isEmpty }
    let url = try given ?? local().flatMap { $0.isEmpty ? nil : $0 } ?? "127.0.0.1:8080"
    return url.contains("://") ? url : "http://\(url)"
  }

  /// Asks as somebody who only looks, and does not wait for a server that is not there.
  func asking<Answer>(_ question: (PoolsClient) async throws -> Answer) async throws -> Answer {
    do {
      return try await question(try client(owner: "drover", options: .init(pauses: [], timeout: .seconds(10))))
    } catch let error as PoolsClientError {
      throw DroverError(.failed, "asking the pools: \(error)\(error.hint)")
    }
  }
}

/// Signals that this program gets, for a task to notice.
enum NoticedSignal {
  private static let last = Atomic<Int32>(0)

  static func notice(_ numbers: Int32...) {
    for number in numbers { signal(number) { NoticedSignal.last.store($0, ordering: .relaxed) } }
  }

  /// The next one; nil when the task is cancelled.
  static func next() async -> Int32? {
    while !Task.isCancelled {
      let number = last.exchange(0, ordering: .relaxed)
      if number != 0 { return number }
      try? await Surroundings.system.sleep(.milliseconds(50))
    }
    return nil
  }
}
