import Files
import Formats
import Processes

/// Files of the operating system that the agent writes. Tests put them below another root.
struct SystemFiles: Sendable {
  /// Empty for the machine's own root.
  let root: String
  let ownership: Ownership

  /// Rotates the logs of jobs by size (reference/agent.md 10). What the helper script says is no failure.
  func writeLogRotation(layout: VMLayout, maximumSize: String) async throws {
    guard maximumSize.utf8.allSatisfy({ Self.isAlphanumeric($0) }) else {
      throw DroverError(
        .invalid, "properties.logging.max_log_file_size: expected a size such as 50M, found '\(maximumSize.prefix(40))'"
      )
    }
    let patterns = ["*.log", ".*.log", "*/*.log", "*/.*.log", "*/*/*.log", "*/*/.*.log"]
    let text = """
      # Written by drover-agent at every apply.
      \(patterns.map { "\(layout.logs)/\($0)" }.joined(separator: " ")) {
        missingok
        rotate 7
        compress
        copytruncate
        size=\(maximumSize)
      }

      """
    try write("/etc/logrotate.d/vcap", text, mode: 0o644)
    let helper = "\(layout.bosh)/bin/setup-logrotate.sh"
    if Files.isVisible(helper) { _ = try? await Command(helper).result() }
  }

  func write(_ path: String, _ text: String, mode: UInt32) throws {
    let place = root + path
    if let slash = place.lastIndex(of: "/") { try Files.makeFolder(String(place[..<slash])) }
    try Files.replace(place, with: Array(text.utf8), mode: mode)
  }

  /// Names of this machine and of others. The file is written in place of the old one's content where it cannot be
  /// renamed over, as in a container that has it mounted.
  func writeHosts(hostName: String, records: [(ip: String, name: String)]) throws {
    let bytes = Array(Self.hosts(hostName: hostName, records: records).utf8)
    let path = "\(root)/etc/hosts"
    do {
      try Files.makeFolder("\(root)/etc")
      try Files.replace(path, with: bytes, mode: 0o644)
    } catch let error as DroverError where error.code == .conflict {
      try FileCopy.overwrite(path, bytes)
    }
  }

  static func hosts(hostName: String, records: [(ip: String, name: String)]) -> String {
    var lines = [
      "127.0.0.1 localhost \(hostName)", "", "# The following lines are desirable for IPv6 capable hosts",
      "::1 localhost ip6-localhost ip6-loopback \(hostName)", "fe00::0 ip6-localnet", "ff00::0 ip6-mcastprefix",
      "ff02::1 ip6-allnodes", "ff02::2 ip6-allrouters", "ff02::3 ip6-allhosts",
    ]
    lines += records.map { "\($0.ip) \($0.name)" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: false
    }
  }
}
