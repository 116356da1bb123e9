import Files
import Formats
import Glibc

/// The programs that come with this one.
enum Executables {
  /// The path of a program in the folder of this one.
  static func beside(_ name: String) throws -> String {
    guard let own = try Files.linkText("/proc/self/exe") else {
      throw DroverError(.notFound, "finding \(name): there is no /proc/self/exe; is /proc mounted?")
    }
    let folder = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
    let path = "\(folder)/\(name)"
    guard access(path, X_OK) == 0 else {
      throw DroverError(.notFound, "finding \(name): expected it at \(path), beside this program")
    }
    return path
  }
}
