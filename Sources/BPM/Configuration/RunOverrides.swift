import Formats

/// What `bpm run -v` and `-e` add to a process.
enum RunOverrides {
  /// A volume from `PATH[:OPTION,…]`.
  static func volume(_ text: String) throws -> ProcessConfiguration.Volume {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count <= 2 else {
      throw DroverError(.invalid, "invalid volume definition (format: <path>[:<options>]): \(text)")
    }
    var volume = ProcessConfiguration.Volume(String(fields[0]))
    guard fields.count == 2 else { return volume }
    for option in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
      switch option {
      case "writable": volume.isWritable = true
      case "mount_only": volume.isMountOnly = true
      case "allow_executions": volume.allowsExecutions = true
      case "shared": volume.isShared = true
      default: throw DroverError(.invalid, "invalid volume option: \(option)")
      }
    }
    return volume
  }

  /// A variable from `NAME=VALUE`; the text of the error is the original's, its spelling included.
  static func variable(_ text: String) throws -> (name: String, value: String) {
    guard let equals = text.firstIndex(of: "=") else {
      throw DroverError(
        .invalid, "invalid envionment variable definition (format should be KEY=value): \"\(text)\"")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }
}
