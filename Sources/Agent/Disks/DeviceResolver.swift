import AgentProtocol
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Finds the device of a disk by what its hint says (reference/agent.md 17).
struct DeviceResolver: Sendable {
  let options: LinuxOptions
  let surroundings: Surroundings
  /// Before `/dev` and `/sys`; empty on a real machine.
  var root = ""
  /// How long a disk may take to appear.
  var patience = Duration.seconds(30)

  static let pause = Duration.milliseconds(100)
  private static let disksByID = "/dev/disk/by-id"

  /// - Throws: `DroverError` with code `invalid` when the hint says too little, `notFound` when the disk does not appear,
  ///   `conflict` when several could be meant.
  func device(_ hint: DiskHint) async throws -> String {
    try check(hint)
    if !options.lunLinks.isEmpty, !hint.lun.isEmpty {
      return try await waiting("the link of lun \(hint.lun)") { try target("\(options.lunLinks)/\(hint.lun)") }
    }
    switch options.resolution {
    case .identity: return try await waiting(hint.path) { Files.isVisible(root + hint.path) ? hint.path : nil }
    case .virtio: return try await virtio(hint)
    case .scsi: return try await scsi(hint)
    case .iscsi: throw Self.unsupported
    }
  }

  private static let unsupported = DroverError(
    .unsupported,
    "disks over iSCSI (agent.json: DevicePathResolutionType) are not supported by this agent; use virtio or scsi")

  /// Whether the hint says enough for this machine; without looking at it.
  func check(_ hint: DiskHint) throws {
    func need(_ isThere: Bool, _ what: String) throws {
      guard isThere else {
        throw DroverError(
          .invalid, "finding a disk: its hint has no \(what): \(JSON.text(hint.value).prefix(200))")
      }
    }
    for part in [hint.id, hint.volumeID, hint.lun] {
      if options.resolution != .identity, part.contains("/") && part != hint.path {
        throw DroverError(.invalid, "finding a disk: '\(part.prefix(100))' in its hint is no name")
      }
    }
    if !options.lunLinks.isEmpty, !hint.lun.isEmpty { return }
    switch options.resolution {
    case .identity: try need(hint.path.hasPrefix("/"), "path")
    case .virtio: try need(hint.path.hasPrefix("/") || !hint.id.isEmpty, "id or path")
    case .scsi:
      try need(
        !hint.id.isEmpty || !hint.volumeID.isEmpty || (!hint.lun.isEmpty && !hint.hostDeviceID.isEmpty),
        "id, volume_id, or lun and host_device_id")
    case .iscsi: throw Self.unsupported
    }
  }

  // MARK: virtio

  /// By id at once, else by path under the names that kernels give it.
  private func virtio(_ hint: DiskHint) async throws -> String {
    if !hint.id.isEmpty {
      await udev()
      let (pattern, isWhole) = try wanted(hint.id)
      let short = hint.path.isEmpty ? patience : min(patience, .milliseconds(500))
      let found = try? await waiting("disk \(hint.id)", short) {
        try one(names { isWhole ? $0 == pattern : $0.hasSuffix(pattern) }, hint.id)
      }
      if let found { return found }
      // Two that could be meant are no reason to take a third one.
      _ = try one(names { isWhole ? $0 == pattern : $0.hasSuffix(pattern) }, hint.id)
      guard !hint.path.isEmpty else {
        throw DroverError(.notFound, "disk \(hint.id) is not there; looked in \(Self.disksByID)")
      }
    }
    let candidates = DeviceNames.candidates(hint.path)
    return try await waiting(hint.path) {
      guard let there = candidates.first(where: { Files.isVisible(root + $0) }) else { return nil }
      return try target(there) ?? there
    }
  }

  /// The name that an id has among links, and whether that is all of it.
  private func wanted(_ id: String) throws -> (String, isWhole: Bool) {
    guard !options.idPattern.isEmpty else { return (id, false) }
    do {
      let expression = try Regex(options.idPattern)
      guard let match = id.firstMatch(of: expression) else { return (id, true) }
      return (id.replacing(expression, with: Self.expanded(options.idReplacement, match.output)), true)
    } catch {
      throw DroverError(.invalid, "agent.json: Platform.Linux.DiskIDTransformPattern", cause: error)
    }
  }

  /// `$1` and `${1}` are parts of what was matched.
  static func expanded(_ replacement: String, _ groups: AnyRegexOutput) -> String {
    var result = ""
    var rest = replacement[...]
    while let character = rest.popFirst() {
      guard character == "$", let next = rest.first, next == "{" || next == "$" || next.isNumber else {
        result.append(character)
        continue
      }
      if next == "$" {
        result.append(rest.removeFirst())
        continue
      }
      if next == "{" { rest.removeFirst() }
      let digits = rest.prefix(while: \.isNumber)
      rest = rest[digits.endIndex...]
      if next == "{", rest.first == "}" { rest.removeFirst() }
      if let number = Int(digits), number < groups.count { result += groups[number].substring ?? "" }
    }
    return result
  }

  // MARK: SCSI

  private func scsi(_ hint: DiskHint) async throws -> String {
    if !hint.id.isEmpty {
      rescan()
      let id = hint.id.split(separator: "-").joined()
      return try await waiting("disk \(hint.id)") { try one(names { $0.hasSuffix(id) }, hint.id) }
    }
    if !hint.volumeID.isEmpty { return try await volume(hint.volumeID) }
    rescan()
    guard let channel = channel(hint.hostDeviceID) else {
      throw DroverError(.notFound, "finding lun \(hint.lun): there is no vmbus device \(hint.hostDeviceID)")
    }
    return try await waiting("lun \(hint.lun)") {
      blocks { $0.count == 4 && $0[3] == hint.lun }.first { name in
        (try? Files.linkText("\(root)/sys/class/block/\(name)"))?.contains("/\(channel)/") ?? false
      }.map { "/dev/\($0)" }
    }
  }

  /// On the controller that has the root disk: HOST:0:VOLUME:0.
  private func volume(_ id: String) async throws -> String {
    let folder = "\(root)/sys/bus/scsi/devices"
    let hosts = ((try? Files.names(in: folder)) ?? []).map { $0.split(separator: ":").map(String.init) }
      .filter { $0.count == 4 && Array($0[1...]) == ["0", "0", "0"] && !blockNames($0.joined(separator: ":")).isEmpty }
    guard let host = hosts.last?[0] else {
      throw DroverError(.notFound, "finding volume \(id): there is no SCSI disk whose controller it could be on")
    }
    rescan(only: "host\(host)")
    return try await waiting("volume \(id)") { blockNames("\(host):0:\(id):0").first.map { "/dev/\($0)" } }
  }

  /// The vmbus device with an id.
  private func channel(_ id: String) -> String? {
    let folder = "\(root)/sys/bus/vmbus/devices"
    return ((try? Files.names(in: folder)) ?? []).first { name in
      let text = Files.textIfPresent("\(folder)/\(name)/device_id") ?? ""
      return text.split(whereSeparator: \.isWhitespace).first.map(String.init) == id
    }
  }

  /// Block devices of SCSI addresses.
  private func blocks(_ isMeant: ([String]) -> Bool) -> [String] {
    ((try? Files.names(in: "\(root)/sys/bus/scsi/devices")) ?? []).sorted()
      .filter { isMeant($0.split(separator: ":").map(String.init)) }.flatMap(blockNames)
  }

  private func blockNames(_ address: String) -> [String] {
    ((try? Files.names(in: "\(root)/sys/bus/scsi/devices/\(address)/block")) ?? []).sorted()
  }

  /// Lets controllers look for disks that were attached meanwhile.
  private func rescan(only host: String? = nil) {
    let folder = "\(root)/sys/class/scsi_host"
    for name in (try? Files.names(in: folder)) ?? [] where host == nil || name == host {
      try? OpenFile(writing: "\(folder)/\(name)/scan", mode: nil).write(Array("- - -".utf8))
    }
  }

  // MARK: Looking

  private func udev() async {
    guard root.isEmpty else { return }
    for verb in ["trigger", "settle"] {
      var command = Command("udevadm", verb)
      command.timeout = .seconds(30)
      _ = try? await command.result()
    }
  }

  /// The devices of links by id whose name is meant.
  private func names(_ isMeant: (String) -> Bool) throws -> [String] {
    try ((try? Files.names(in: root + Self.disksByID)) ?? []).sorted().filter(isMeant)
      .compactMap { try target("\(Self.disksByID)/\($0)") }
  }

  private func one(_ devices: [String], _ id: String) throws -> String? {
    let devices = Set(devices).sorted()
    guard devices.count <= 1 else {
      throw DroverError(
        .conflict, "More than one disk matched '\(id)': \(devices.joined(separator: ", "))")
    }
    return devices.first
  }

  /// The device that a link leads to, if it is there.
  private func target(_ path: String) throws -> String? {
    guard let resolved = realpath(root + path, nil) else { return nil }
    defer { free(resolved) }
    let text = String(cString: resolved)
    guard !root.isEmpty else { return text }
    guard let real = realpath(root, nil) else { return nil }
    defer { free(real) }
    return String(text.dropFirst(String(cString: real).count))
  }

  private func waiting(
    _ what: String, _ limit: Duration? = nil, _ look: () throws -> String?
  ) async throws -> String {
    let limit = limit ?? patience
    let deadline = surroundings.elapsed() + limit
    while true {
      if let found = try look() { return found }
      guard surroundings.elapsed() < deadline else {
        throw DroverError(
          .notFound, "\(what) is not there\(limit > .zero ? "; looked for it for \(limit.shortText)" : "")")
      }
      try await surroundings.sleep(Self.pause)
    }
  }
}
