import CLinux
import Formats
import Glibc

/// A pidfile that control scripts share: one of them claims it for the process that is to run, another ends that process.
///
/// Beside the pid, in an attribute of the file, stands which process had that pid when it was claimed, where the file
/// system keeps attributes. A process that got the pid later is then not taken for it.
struct ClaimedPidfile: Sendable {
  let path: String

  private static let attributes = ["user.drover.process", "trusted.drover.process"]

  /// The number in the file, of whatever sign.
  ///
  /// - Throws: when there is no file, or no number in it.
  func number() throws -> Int {
    let text = String(decoding: try read(), as: UTF8.self)
    let trimmed = text.drop(while: \.isWhitespace)
    let end = trimmed.lastIndex { !$0.isWhitespace }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
    let digits = trimmed[..<end]
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D }), let number = Int(digits)
    else { throw DroverError(.invalid, "pidfile (\(path)) does not contain a valid pid") }
    return number
  }

  /// The number in the file; nil when there is none in it.
  ///
  /// - Throws: when the file cannot be read, which says nothing about the process.
  func numberIfAny() throws -> Int? {
    do {
      return try number()
    } catch let error as DroverError where error.code == .invalid {
      return nil
    }
  }

  /// The living process that the file speaks of: no zombie, and none for 0 and below, which address process groups.
  func process(_ number: Int) -> ProcessIdentity? {
    guard let process = ProcessIdentity(livingPid: number) else { return nil }
    guard let record, record.pid == number else { return process }
    return record == process ? process : nil
  }

  /// Writes the number, without a line end.
  func write(_ number: Int) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SipidFailure.system("open", path) }
    defer { close(descriptor) }
    let bytes = Array(String(number).utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw SipidFailure.system("write", path) }
    for attribute in Self.attributes {
      guard let process = ProcessIdentity(livingPid: number) else {
        _ = drover_attribute_remove(descriptor, attribute)
        continue
      }
      let value = JSON.bytes(process.value)
      if drover_attribute_set(descriptor, attribute, value, value.count) == 0 { break }
    }
  }

  private var record: ProcessIdentity? {
    for attribute in Self.attributes {
      var buffer = [UInt8](repeating: 0, count: 256)
      let count = drover_attribute_get(path, attribute, &buffer, buffer.count)
      guard count > 0 else { continue }
      return (try? JSON.parse(Array(buffer.prefix(count)))).flatMap { try? ProcessIdentity($0) }
    }
    return nil
  }

  private func read() throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SipidFailure.system("open", path) }
    defer { close(descriptor) }
    // A pid has ten digits; what is longer is none.
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    guard count >= 0 else { throw SipidFailure.system("read", path) }
    return Array(buffer.prefix(count))
  }
}

/// Errors in the words that people know from `sipid`: `open /x: no such file or directory`.
enum SipidFailure {
  static func system(_ operation: String, _ subject: String, _ number: Int32 = errno) -> DroverError {
    DroverError(systemError("", number).code, "\(operation) \(subject): \(reason(number))")
  }

  static func reason(_ number: Int32) -> String {
    let text = systemErrorText(number)
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
