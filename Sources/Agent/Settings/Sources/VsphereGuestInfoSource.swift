import AgentProtocol
import Formats
import Logging
import Processes

/// vSphere's guest information, which the tools of the machine read (reference/agent.md 2). Once the settings are kept, it
/// is cleared: it holds keys, and every user of the machine may read it.
struct VsphereGuestInfoSource: SettingsSource {
  /// Quicker than the other one where it is there.
  let rpcTool: String
  let toolsDaemon: String
  let tools: SourceTools

  static let variable = "guestinfo.userdata"
  /// What stands there afterwards.
  static let cleared = "---"

  var name: String { "VsphereGuestInfo" }

  func fetch() async throws -> AgentSettings {
    let answer = try await ask("info-get \(Self.variable)")
    do {
      return try AgentSettings(UserData(await Self.decoded(answer)).document)
    } catch {
      throw DroverError(.invalid, "reading \(Self.variable) of vSphere's guest information", cause: error)
    }
  }

  func kept() async {
    for request in ["info-set \(Self.variable) \(Self.cleared)", "info-set \(Self.variable).encoding ''"] {
      do {
        _ = try await ask(request)
      } catch {
        tools.logger.error("vSphere's guest information cannot be cleared", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Base64, perhaps of gzip.
  static func decoded(_ text: String) async throws -> [UInt8] {
    let word = text.split(whereSeparator: \.isWhitespace).joined()
    guard !word.isEmpty, word != cleared else { throw DroverError(.notFound, "there is nothing, or nothing any more") }
    guard let bytes = Base64.decode(word) else { throw DroverError(.invalid, "it is not base64") }
    guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
    var command = Command("gzip", "-dc")
    command.input = bytes
    return try await command.run().output
  }

  /// By the one tool, else by the other.
  private func ask(_ request: String) async throws -> String {
    for arguments in [[rpcTool, request], [toolsDaemon, "--cmd", request]] {
      var command = Command(arguments)
      command.timeout = .seconds(30)
      if let result = try? await command.result(), result.succeeded { return result.text }
      try Task.checkCancellation()
    }
    let verb = request.prefix { $0 != " " }
    throw DroverError(
      .unavailable, "\(verb) of vSphere's guest information: neither \(rpcTool) nor \(toolsDaemon) can do it")
  }
}
