import Glibc

/// Texts that become part of a request's path or query (RFC 3986).
enum PathText {
  private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

  static func escape(_ text: String) -> String {
    text.utf8.map { byte in
      guard !unreserved.contains(byte) else { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%\(digits.count == 1 ? "0" : "")\(digits)"
    }.joined()
  }
}

/// A path as seen from the root.
func absolutePath(_ path: String) -> String {
  guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
  defer { free(directory) }
  var rest = Substring(path)
  while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
  let folder = String(cString: directory)
  return rest.isEmpty || rest == "." ? folder : "\(folder == "/" ? "" : folder)/\(rest)"
}
