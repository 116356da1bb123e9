import Containers
import Files
import Formats
public import Logging
import Processes
public import Surroundings

/// The runc cloud: a VM is a runc container on an overlay of the stemcell's root file system, with its own network,
/// address, limits and disks (design D3).
///
/// VMs outlive the process that made them. Calls about different VMs run at the same time, calls about the same one in
/// turn, also between processes. Every step is on record before it is taken, so that ``recover()`` can finish or clean
/// what an interrupted call left.
///
/// Nothing is mounted on the host: the overlay and the disks of a VM are mounted in its own mount namespace only.
public struct RuncCloud: Sendable {
  public let configuration: Configuration
  let surroundings: Surroundings
  let logger: Logger
  let runc: Runc

  public init(configuration: Configuration, surroundings: Surroundings = .system, logger: Logger) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.logger = logger
    runc = Runc.onThisMachine(configuration, surroundings)
  }

  var directory: String { configuration.directory }
  func folder(_ vm: String) -> VMFolder { VMFolder(path: "\(directory)/vms/\(vm)") }
  func stemcellFolder(_ stemcell: String) -> String { "\(directory)/stemcells/\(stemcell)" }
  func diskFolder(_ disk: String) -> String { "\(directory)/disks/\(disk)" }
  /// The cgroup of a VM; with no VM, the one of all of them.
  func cgroup(_ vm: String? = nil) -> String { "/drover-\(configuration.name)" + (vm.map { "/\($0)" } ?? "") }

  /// Refuses a configuration that can't work, and ids that are no names.
  func checkConfiguration() throws {
    let name = configuration.name
    guard !name.isEmpty, name.count <= 40, name.allSatisfy(Self.isNameCharacter) else {
      throw DroverError(
        .invalid, "the server's name: expected up to 40 letters, digits, '-' or '_', found \"\(name)\"")
    }
    // The overlay's options are one text with these as separators.
    guard directory.hasPrefix("/"), !directory.contains(where: { ",:\\ \t\n\"'".contains($0) }) else {
      throw DroverError(
        .invalid,
        "the cloud's folder: expected an absolute path without blanks, quotes, ',', ':' and '\\', found \(directory)")
    }
  }

  static func isNameCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "-" || character == "_")
  }

  /// An id that becomes a folder's name.
  static func checkID(_ id: String, _ what: String, _ kind: CloudError.Kind) throws {
    guard !id.isEmpty, id.count <= 128, !id.hasPrefix("."),
      id.allSatisfy({ isNameCharacter($0) || $0 == "." })
    else { throw CloudError(kind, "\(what) \"\(id)\": that is no id; it may have letters, digits, '-', '_' and '.'") }
  }
}

extension Runc {
  /// Runs the machine's runc with the state folder of a cloud.
  static func onThisMachine(_ configuration: RuncCloud.Configuration, _ surroundings: Surroundings) -> Runc {
    let root = "\(configuration.directory)/runc"
    return Runc(
      executable: configuration.runc, root: root,
      newLogPath: { "\(root)/log-\(surroundings.identifier())" },
      takeLog: { path in
        defer { try? Files.remove(path) }
        return try? Files.read(path)
      },
      run: { invocation in
        try Files.makeFolder(root, mode: 0o700)
        let result = try await Processes.Command([invocation.executable] + invocation.arguments).result()
        return Outcome(status: result.status, standardOutput: result.output, standardError: result.errors)
      })
  }
}

extension CommandResult {
  /// The exit status; 128 + signal when a signal ended it.
  var status: Int {
    switch ending {
    case .exited(let status): status
    case .signalled(let signal): 128 + signal
    }
  }
}
