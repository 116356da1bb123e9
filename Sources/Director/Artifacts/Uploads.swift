import Formats
import Glibc
import SystemPackage

/// Uploads that are on their way to a task: files in the work folder.
enum Uploads {
  /// Writes all chunks to a file and syncs it; nothing is left of one that did not come to its end.
  static func write(_ body: some AsyncSequence<[UInt8], any Error>, to path: String) async throws {
    let file: FileDescriptor
    do {
      file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite])
    } catch {
      throw DroverError(.failed, "storing an upload in \(path)", cause: error)
    }
    do {
      for try await bytes in body { try file.writeAll(bytes) }
      try file.close()
    } catch {
      try? file.close()
      unlink(path)
      if let number = error as? Errno, number == .noSpace {
        throw DroverError(.failed, "storing an upload in \(path): the disk is full; make room and upload again")
      }
      throw error
    }
  }

  /// Does something with an upload. What goes wrong is told in terms of what was sent: its sender knows nothing of the
  /// file that it was put into, nor of the folder beside it that it is unpacked into.
  static func naming<Result: Sendable>(_ file: String, _ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let error as DroverError {
      throw renamed(error, file)
    }
  }

  static func renamed(_ error: DroverError, _ file: String) -> DroverError {
    let message = error.message.replacing("\(file).scratch/", with: "").replacing(file, with: "the uploaded file")
    return DroverError(
      error.code, message, cause: error.cause.map { ($0 as? DroverError).map { renamed($0, file) } ?? $0 },
      number: error.number)
  }
}
