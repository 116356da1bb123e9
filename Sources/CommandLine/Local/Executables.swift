import Formats
import Glibc

/// The programs that come with this one.
enum Executables {
  /// The path of a program in the folder of this one.
  static func beside(_ name: String) throws -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { throw DroverError(.failed, "finding \(name): /proc/self/exe cannot be read") }
    let own = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder = own[..<(own.lastIndex(of: "/") ?? own.startIndex)]
    let path = "\(folder)/\(name)"
    guard access(path, X_OK) == 0 else {
      throw DroverError(.notFound, "finding \(name): expected it at \(path), beside this program")
    }
    return path
  }
}
