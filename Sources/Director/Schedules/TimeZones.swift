import Formats
import FoundationEssentials
public import Manifests
import Surroundings

/// The time zones of this machine, by name.
public struct TimeZones: Sendable {
  private let folder: String

  /// - Parameter folder: where their files are.
  public init(folder: String = "/usr/share/zoneinfo") { self.folder = folder }

  /// No name is longer, in bytes; with those that are, nothing is compared, and they are not said whole.
  private static let longest = 100
  private static let universal: Set<String> = ["UTC", "Etc/UTC", "Z"]

  /// - Throws: ``DroverError``; for a name that there is not, with names that are near.
  public func rules(_ name: String) async throws -> ZoneRules {
    if Self.universal.contains(name) { return .utc }
    let (folder, longest) = (folder, Self.longest)
    return try await blocking {
      let allowed = name.utf8.allSatisfy { byte in
        48...57 ~= byte || 65...90 ~= byte || 97...122 ~= byte || Array("/_+-".utf8).contains(byte)
      }
      guard allowed, !name.isEmpty, name.utf8.count <= longest, !name.hasPrefix("/"),
        let data = try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")),
        data.starts(with: "TZif".utf8)
      else { throw Self.unknown(name.utf8.count > longest ? "\(name.prefix(longest))…" : name, folder) }
      return try ZoneRules(file: Array(data), name: name)
    }
  }

  private static func unknown(_ name: String, _ folder: String) -> DroverError {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    guard !names.isEmpty else {
      return DroverError(
        .invalid,
        "time zone '\(name)': this machine has no time zones in \(folder); install the package tzdata"
      )
    }
    // Apart from other forms of the same.
    let plain = names.filter {
      !$0.hasPrefix("posix/") && !$0.hasPrefix("right/") && !$0.contains(".")
    }
    let city = plain.filter { $0.lowercased().hasSuffix("/\(name.lowercased())") }
    let hint =
      city.isEmpty ? NearNames.hint(name, among: plain) : "; did you mean '\(city.sorted()[0])'?"
    return DroverError(
      .invalid, "time zone '\(name)': unknown; expected a name such as Europe/Berlin or UTC\(hint)")
  }
}
