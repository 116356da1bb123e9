import ArgumentParser
import Formats
import Glibc
import PoolsClient
import PoolsCommands
import PoolsProtocol
import Processes
import Surroundings

struct Lease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a command while holding a resource of a pool.",
    discussion: """
      Waits in line for a resource of the type, runs the command, and hands the resource back dirty, however the \
      command ends. Heartbeats are sent meanwhile. The command's environment has DROVER_LEASE_NAME, DROVER_LEASE_TYPE, \
      DROVER_LEASE_STATE, DROVER_LEASE_OWNER, DROVER_LEASE_DATA_KEY for the user data, and DROVER_LEASE_FILE, a file \
      with the lease as JSON.

        drover lease aws-account --wait 10m -- ./e2e.sh

      The exit code is the command's own; 75 when nothing could be leased in time, 76 when the lease was lost: the \
      command has then been ended by SIGTERM. Ctrl-C, SIGTERM and SIGHUP end the waiting in line (128 and the signal's \
      number is the exit code then), and go to the command once it runs.
      """)
  @OptionGroup var pools: PoolsOptions
  @Argument(help: "The type of the resource.") var type: String
  @Option(help: "The state that it is leased from.") var state = "free"
  @Option(help: "The state that it is in while the command runs.") var to = "busy"
  @Option(help: "The state that it is handed back in.") var back = "dirty"
  @Option(help: "How long to wait in line, such as 10m (default: as long as it takes).") var wait: String?
  @Option(help: "How often to say that it is still held.") var heartbeat = "30s"
  @Option(help: "In whose name to lease (default: user, machine and process).") var owner: String?
  @Argument(parsing: .postTerminator, help: "The command and its arguments.") var command: [String] = []

  func validate() throws {
    if command.isEmpty { throw ValidationError("give a command behind --: drover lease \(type) -- COMMAND…") }
  }

  func run() async throws {
    let terms = PoolsClient.LeaseTerms(
      from: state, to: to, back: back, wait: try wait.map { try Duration(text: $0) },
      heartbeat: try Duration(text: heartbeat))
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let client = try pools.client(
      owner: owner ?? "\(Environment.current()["USER"] ?? "user")@\(host)-\(getpid())")
    NoticedSignal.notice(SIGTERM, SIGHUP, SIGINT)
    try await remarkUnknownType()
    let code = await LeaseRun(client: client, type: type, terms: terms, command: command, surroundings: .system)
      .run {
        await NoticedSignal.next()
      } isToldByTerminal: {
        $0 == SIGINT && Self.isInForeground
      } say: {
        Console.remark("drover: \($0)")
      }
    throw ExitCode(code)
  }

  /// One may wait for what is still to be made; but a mistyped type is waited for in vain.
  private func remarkUnknownType() async throws {
    let client = try pools.client(owner: "drover", options: .init(pauses: [], timeout: .seconds(10)))
    do {
      _ = try await client.metric(type)
    } catch PoolsClientError.refused(404, _) {
      Console.remark("drover: there is no resource of type '\(type)' yet; waiting for one")
    } catch {
      // Leasing says what is wrong.
    }
  }

  /// Whether the keys of the terminal reach this program, and so the command, which is in its process group.
  private static var isInForeground: Bool {
    let terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC)
    guard terminal >= 0 else { return false }
    defer { close(terminal) }
    return tcgetpgrp(terminal) == getpgrp()
  }
}
