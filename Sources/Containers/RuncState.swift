import Formats

/// What runc has written about a container (`state.json` below its root): enough to know its first process without
/// starting runc.
public struct RuncState: Sendable, Hashable {
  /// The container's first process, and the clock tick of its start, so that a pid that was used again is not taken for
  /// it.
  public var pid: Int
  public var startTicks: UInt64
  /// Its cgroups' folders, by controller; "" for v2.
  public var cgroups: [String: String]
  /// Whether the file is whole. Of one that is cut off, what its beginning says may still hold.
  public var isComplete: Bool

  /// Nil when not even the first process can be told. The rest of the file, which is long, is only skimmed.
  public init?(_ bytes: [UInt8]) {
    let found = JSONSkimmer.members(of: bytes, named: ["init_process_pid", "init_process_start", "cgroup_paths"])
    guard let pid = found.members["init_process_pid"].flatMap({ Int(String(decoding: $0, as: UTF8.self)) }), pid > 0,
      let start = found.members["init_process_start"].flatMap({ UInt64(String(decoding: $0, as: UTF8.self)) })
    else { return nil }
    self.pid = pid
    startTicks = start
    isComplete = found.isComplete
    cgroups = [:]
    if let text = found.members["cgroup_paths"], let object = (try? JSON.parse(Array(text)))?.object {
      for (name, value) in object { cgroups[name] = value.string }
    }
  }
}

/// Finds members of a JSON object without reading the others.
enum JSONSkimmer {
  /// The texts of the members' values, and whether the object ends as it should.
  static func members(
    of bytes: [UInt8], named names: Set<String>
  ) -> (members: [String: ArraySlice<UInt8>], isComplete: Bool) {
    var found: [String: ArraySlice<UInt8>] = [:]
    let isComplete = bytes.withUnsafeBufferPointer { buffer in
      var scanner = Scanner(bytes: buffer)
      return scanner.object { name, range in
        let name = String(decoding: buffer[name], as: UTF8.self)
        if names.contains(name) { found[name] = bytes[range] }
      }
    }
    return (found, isComplete)
  }

  private struct Scanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func skipBlanks() {
      while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
      skipBlanks()
      guard position < bytes.count, bytes[position] == UInt8(ascii: byte) else { return false }
      position += 1
      return true
    }

    /// Calls with every member's name and value; returns whether the object is whole.
    mutating func object(_ member: (Range<Int>, Range<Int>) -> Void) -> Bool {
      guard take("{") else { return false }
      if take("}") { return true }
      while true {
        skipBlanks()
        let name = position
        guard skipString(), take(":") else { return false }
        skipBlanks()
        let nameRange = name + 1..<endOfName - 1
        let begin = position
        guard skipValue() else { return false }
        member(nameRange, begin..<position)
        if take("}") { return true }
        guard take(",") else { return false }
      }
    }

    private var endOfName = 0

    private mutating func skipString() -> Bool {
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return false }
      position += 1
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        if byte == UInt8(ascii: "\\") {
          position += 1
        } else if byte == UInt8(ascii: "\"") {
          endOfName = position
          return true
        }
      }
      return false
    }

    /// A value that is followed by something: a number at the very end may have been cut off.
    private mutating func skipValue() -> Bool {
      var depth = 0
      let begin = position
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "\""):
          let name = endOfName
          guard skipString() else { return false }
          endOfName = name
          if depth == 0 { return true }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          position += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          if depth == 0 { return position > begin }
          depth -= 1
          position += 1
          if depth == 0 { return true }
        case UInt8(ascii: ","):
          if depth == 0 { return position > begin }
          position += 1
        default:
          if depth == 0, bytes[position] <= 0x20 { return position > begin }
          position += 1
        }
      }
      return false
    }
  }
}
