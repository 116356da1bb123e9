import AgentProtocol
import Files
import Formats
import Glibc
import HTTPService
import Processes

/// Settings of machines, one file each, for agents whose user data name a registry (slides 13 to 15), and for clouds that
/// put them there.
struct SettingsRegistry: Sendable {
  /// Holds `ID.json`.
  let folder: String
  /// Who may read and write; nobody else may do either.
  let users: [BasicCredentials]

  static let maximumBytes = 4 << 20

  func answer(_ request: HTTPRequest, _ body: HTTPBody) async -> HTTPReply {
    // Each of them, so that the time says nothing about which one it was.
    guard users.map({ $0.match(request) }).contains(true) else {
      return HTTPReply.json(401, ["status": "access_denied"]).with("WWW-Authenticate", "Basic realm=\"registry\"")
    }
    guard let id = RegistrySettings.instanceID(path: request.path) else {
      return .json(404, ["status": "not_found"])
    }
    let path = "\(folder)/\(id).json"
    do {
      switch request.method {
      case "GET", "HEAD":
        guard try Files.exists(path) else { return .json(404, ["status": "not_found"]) }
        return .json(200, RegistrySettings.answer(try Files.read(path, limit: Self.maximumBytes)))
      case "PUT":
        let bytes = try await body.collect(limit: Self.maximumBytes)
        guard try JSON.parse(bytes).object != nil else { return .json(400, ["status": "error"]) }
        try Files.replace(path, with: bytes, mode: 0o600)
        return .json(200, ["status": "ok"])
      case "DELETE":
        try Files.remove(path)
        return .json(200, ["status": "ok"])
      default: return .json(405, ["status": "error"])
      }
    } catch let error as DroverError where error.code == .invalid || error.code == .tooLarge {
      return .json(400, ["status": "error", "description": .string(error.message)])
    } catch {
      return .json(500, ["status": "error", "description": .string("\(error)")])
    }
  }
}
