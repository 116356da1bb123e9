import Files
import Formats

/// How people log in to a container. Its processes have the audit session of whoever started the server, and the kernel
/// lets nobody in a container change that; PAM as Debian has it would refuse every login and every job of cron for it.
enum LoginServices {
  /// A file of /etc/pam.d in which setting the audit session may fail; nil when it is so already.
  static func tolerant(_ text: String) -> String? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count >= 3, words[0] == "session", words[1] == "required", words[2] == "pam_loginuid.so" else {
        return String(line)
      }
      return "session    optional     pam_loginuid.so"
    }
    let result = lines.joined(separator: "\n")
    return result == text ? nil : result
  }

  static func makeTolerant(folder: String = "/etc/pam.d") throws {
    for name in (try? Files.names(in: folder)) ?? [] {
      guard let text = Files.textIfPresent("\(folder)/\(name)"), let changed = tolerant(text) else { continue }
      try Files.replace("\(folder)/\(name)", with: Array(changed.utf8), mode: 0o644)
    }
  }
}
