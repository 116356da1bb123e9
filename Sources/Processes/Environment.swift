import Files
import Glibc

/// This process's own environment.
public enum Environment {
  public static func current() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let line = entry.pointee {
      let text = String(cString: line)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      entry += 1
    }
    return variables
  }

  /// Where a program lies: as it is when its name has a slash, otherwise the first executable of that name in `path`.
  static func find(_ program: String, path: String?) -> String? {
    if program.contains("/") { return program }
    let folders = (path ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 && (try? Files.isFolder($0)) == false }
  }
}
