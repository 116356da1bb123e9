import Files
import Formats
import Processes

/// The authorities that the programs of this machine trust besides its own (reference/agent.md 11, update_settings).
struct TrustedCertificates: Sendable {
  /// Empty for the machine's own root.
  let root: String
  private var folder: String { "\(root)/usr/local/share/ca-certificates" }
  private static let prefix = "bosh-trusted-cert-"

  /// Replaces all that were put there before. Nothing is run when nothing changes.
  func replace(with pem: String) async throws {
    let wanted = Self.split(pem)
    let present = try Files.names(in: folder).filter { $0.hasPrefix(Self.prefix) }
    let names = wanted.indices.map { "\(Self.prefix)\($0 + 1).crt" }
    let isSame =
      Set(present) == Set(names)
      && zip(names, wanted).allSatisfy { Files.textIfPresent("\(folder)/\($0)") == $1 }
    if isSame { return }
    for name in present { try Files.remove("\(folder)/\(name)") }
    try Files.makeFolder(folder)
    for (name, certificate) in zip(names, wanted) {
      try Files.replace("\(folder)/\(name)", with: Array(certificate.utf8), mode: 0o644)
    }
    if root.isEmpty { try await update() }
  }

  private func update() async throws {
    var command = Command("update-ca-certificates", "-f")
    command.timeout = .seconds(60)
    for attempt in 1...3 {
      do {
        try await command.run()
        return
      } catch  where attempt < 3 {
        continue
      } catch {
        throw DroverError(.failed, "updating the trusted certificates", cause: error)
      }
    }
  }

  /// The certificates of a PEM text, each with its lines and a newline at the end.
  static func split(_ pem: String) -> [String] {
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    var certificates: [String] = []
    var lines: [Substring]?
    for line in pem.split(whereSeparator: \.isNewline) {
      let trimmed = line.drop { $0.isWhitespace }
      if trimmed.hasPrefix(begin) { lines = [] }
      lines?.append(trimmed)
      if trimmed.hasPrefix(end), let complete = lines {
        certificates.append(complete.joined(separator: "\n") + "\n")
        lines = nil
      }
    }
    return certificates
  }
}
