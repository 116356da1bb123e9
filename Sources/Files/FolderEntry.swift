import Formats
import Glibc

/// A name in a folder, as the file system has it: any bytes but slash and zero.
struct FolderEntry {
  /// With the zero at its end.
  let bytes: [CChar]

  /// What is in a folder, in no order, without `.` and `..`.
  ///
  /// - Parameter path: what errors call it.
  static func all(in folder: OpenFile, _ path: @autoclosure () -> String) throws -> [FolderEntry] {
    let descriptor = openat(folder.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError("listing '\(path())'") }
    guard let stream = fdopendir(descriptor) else {
      let number = errno
      close(descriptor)
      throw systemError("listing '\(path())'", number)
    }
    return try rest(of: stream, path())
  }

  /// What a stream has not given yet; it is closed then.
  static func rest(of stream: OpaquePointer, _ path: @autoclosure () -> String) throws -> [FolderEntry] {
    defer { closedir(stream) }
    var entries: [FolderEntry] = []
    errno = 0
    while let entry = readdir(stream) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
      }
      if !special.contains(bytes) { entries.append(FolderEntry(bytes: bytes)) }
      errno = 0
    }
    if errno != 0 { throw systemError("listing '\(path())'") }
    return entries
  }

  /// `.` and `..`
  private static let special: [[CChar]] = [[0x2E, 0], [0x2E, 0x2E, 0]]

  /// For people, and for names that are known to be UTF-8: what is not is shown as `�`.
  var text: String { String(decoding: octets, as: UTF8.self) }

  /// Nil when it is not UTF-8.
  var name: String? { String(validating: octets, as: UTF8.self) }

  private var octets: [UInt8] { bytes.dropLast().map { UInt8(bitPattern: $0) } }
}

extension Sequence<String> {
  /// In the order of their bytes, in which equal folders are equal.
  func sortedByBytes() -> [String] { sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}
