import Formats
import Glibc

/// What a sandbox sees of this machine: the folders that templates may read, and the few files that Ruby needs.
struct SandboxPlan: Sendable, Hashable {
  /// Folders and files that are visible read-only, folders first.
  var visible: [String]
  var devices: [String]
  /// Symbolic links: where, and to what.
  var links: [Link]

  struct Link: Sendable, Hashable {
    var path: String
    var target: String
  }

  /// What is at a path of this machine.
  enum Entry: Sendable, Hashable {
    case folder
    case file
    case link(to: String)
  }

  /// Where programs and libraries are on systems whose root has more than links into `/usr`.
  private static let rootFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"]
  /// How the linker finds libraries, and how OpenSSL is set up.
  private static let files = ["/etc/ld.so.cache", "/etc/ssl/openssl.cnf"]
  private static let deviceFiles = ["/dev/null", "/dev/urandom"]

  /// - Throws: `DroverError` with code `invalid` when Ruby would not be visible.
  init(_ configuration: RendererConfiguration, entry: (String) -> Entry?) throws {
    visible = configuration.readableFolders
    devices = Self.deviceFiles
    links = []
    for path in visible {
      guard path.hasPrefix("/"), path.count > 1, !path.hasSuffix("/"), entry(path) == .folder else {
        throw DroverError(
          .invalid, "setting up the template sandbox: readable folder '\(path)' is not a folder with an absolute path")
      }
    }
    for path in Self.rootFolders + Self.files {
      switch entry(path) {
      case .link(let target): links.append(Link(path: path, target: target))
      case .folder, .file: visible.append(path)
      case nil: break
      }
    }
    guard visible.contains(where: { configuration.ruby.hasPrefix($0 + "/") }) else {
      throw DroverError(
        .invalid,
        "setting up the template sandbox: ruby '\(configuration.ruby)' is in none of the folders that templates can "
          + "read (\(visible.joined(separator: ", "))); add its folder to them")
    }
    switch entry(configuration.ruby) {
    case .file, .link: break
    case .folder, nil:
      throw DroverError(
        .invalid,
        "setting up the template sandbox: there is no program '\(configuration.ruby)'; install Ruby 3.1 or newer")
    }
  }

  /// What is at a path of this machine, not following links.
  static func entry(_ path: String) -> Entry? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .folder
    case S_IFLNK:
      var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
      let size = target.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: CChar.self) { text in text.baseAddress.map { readlink(path, $0, text.count) } ?? -1
        }
      }
      return size > 0 ? .link(to: String(decoding: target.prefix(size), as: UTF8.self)) : nil
    default: return .file
    }
  }
}
