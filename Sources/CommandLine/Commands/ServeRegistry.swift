import ArgumentParser
import Files
import Formats
import HTTPService

struct ServeRegistry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-registry", abstract: "Serve settings to agents whose user data name a registry.",
    discussion: """
      GET /instances/ID/settings answers with the file ID.json of the folder, PUT replaces it, DELETE removes it; all \
      with basic authentication. Agents find it by user data such as

        {"registry":{"endpoint":"http://USER:PASSWORD@HOST:25777"},
         "server":{"name":"ID"}}

      Settings hold keys: without --certificate listen only where nobody else can listen along. Runs until it is \
      interrupted.
      """)
  @Option(help: "The folder with one file ID.json for each machine.") var settings: String
  @Option(help: "NAME:PASSWORD of who may use it; may be repeated.") var user: [String] = []
  @Option(
    help: "A file with NAME:PASSWORD lines, which other users of this machine cannot see in its list of processes.")
  var users: String?
  @Option(help: "HOST:PORT to listen on; port 0 lets the system choose one.") var listen = "127.0.0.1:25777"
  @Option(help: "Serve HTTPS with this certificate (a PEM file).") var certificate: String?
  @Option(help: "The certificate's key (a PEM file).") var key: String?

  func validate() throws {
    if user.isEmpty && users == nil { throw ValidationError("give at least one --user NAME:PASSWORD, or --users FILE") }
    if (certificate == nil) != (key == nil) { throw ValidationError("--certificate and --key belong together") }
  }

  func run() async throws {
    let folder = absolutePath(settings)
    try Files.makeFolder(folder, mode: 0o700)
    let registry = SettingsRegistry(folder: folder, users: try credentials())
    let url = try EndpointURL("http://\(listenText)")
    var configuration = HTTPService.Configuration(address: url.host, port: port ?? url.port ?? 25777)
    if let certificate, let key {
      configuration.tls = HTTPService.TLS(
        certificatePEM: String(decoding: try Files.read(absolutePath(certificate)), as: UTF8.self),
        key: Secret(String(decoding: try Files.read(absolutePath(key)), as: UTF8.self)))
    }
    let scheme = configuration.tls == nil ? "http" : "https"
    try await HTTPService(configuration).run { request, body in
      await registry.answer(request, body)
    } onReady: { port in
      Console.print("Serving the settings in \(folder) at \(scheme)://\(url.host):\(port)")
    }
  }

  /// The address without port 0, which a URL cannot have.
  private var listenText: String { port == 0 ? String(listen.dropLast(2)) : listen }
  private var port: Int? { listen.hasSuffix(":0") ? 0 : nil }

  private func credentials() throws -> [BasicCredentials] {
    var lines = user
    if let users {
      let text = String(decoding: try Files.read(absolutePath(users)), as: UTF8.self)
      lines += text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }
    return try lines.map { line in
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw DroverError(.invalid, "a user of the registry is written NAME:PASSWORD")
      }
      return BasicCredentials(user: String(parts[0]), password: Secret(String(parts[1])))
    }
  }
}
