import Clouds
import Files
import Formats
import Foundation
import Glibc
import Logging
import Processes
import Surroundings
import Synchronization
import TestSupport
import Testing

/// What real tests need: root, runc and the programs that the cloud calls. The reason is printed when it is missing.
enum RealCloud {
  static let isPossible: Bool = {
    var missing: [String] = []
    if geteuid() != 0 { missing.append("root") }
    let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    for program in ["runc", "ip", "nft", "flock", "unshare", "nsenter", "tini"]
    where !places.contains(where: { access("\($0)/\(program)", X_OK) == 0 }) {
      missing.append(program)
    }
    if !missing.isEmpty { print("tests of the runc cloud are skipped: no \(missing.joined(separator: ", "))") }
    return missing.isEmpty
  }()
}

/// A runc cloud of its own, with a small stemcell, that is gone with all it made after the body.
struct CloudFixture: Sendable {
  let cloud: RuncCloud
  let stemcell: String
  /// First three numbers of its network.
  let network: String

  static let image = Task { () throws -> String in
    try await SmallStemcell.makeImage(in: try imagesFolder.get())
  }

  /// As that one, with the program `bpm` in it.
  static let imageWithBPM = Task { () throws -> String in
    try await SmallStemcell.makeImage(
      in: try imagesFolder.get(), name: "image-bpm", extra: [TestProcess.path(of: "bpm")])
  }

  private static let imagesFolder = Result {
    let folder = "/tmp/drover-clouds-tests.\(getpid())"
    try Files.makeFolder(folder)
    atexit { _ = try? Files.remove("/tmp/drover-clouds-tests.\(getpid())") }
    return folder
  }

  private static let lastNumber = Mutex(Int(getpid()) * 64 % 2048)

  static func with<T>(
    image: Task<String, any Error> = image, _ body: (CloudFixture) async throws -> T
  ) async throws -> T {
    let image = try await image.value
    // Never twice in one process, and apart from what other processes use; interfaces' names have room for no more.
    let number = lastNumber.withLock { number in
      number = (number + 1) % 2048
      return number
    }
    let name = "t\(getpid())n\(number)"
    let directory = "/tmp/drover-clouds-tests.\(getpid())/\(name)"
    let cloud = RuncCloud(
      configuration: RuncCloud.Configuration(name: name, directory: directory, shutdownTimeout: .seconds(5)),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let stemcell = try await cloud.createStemcell(imagePath: image, cloudProperties: [:], tags: [:])
    let fixture = CloudFixture(
      cloud: cloud, stemcell: stemcell, network: "10.\(220 + number >> 8).\(number & 255)")
    let result: Result<T, any Error>
    do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
    try await cloud.destroyAll()
    return try result.get()
  }

  func request(
    _ agent: String = Surroundings.system.identifier(), address: Int = 10, properties: ValueObject = [:],
    masquerade: Bool = false, env: ValueObject = [:]
  ) -> VMRequest {
    VMRequest(
      agentID: agent, stemcell: stemcell, cloudProperties: properties,
      networks: [
        "default": [
          "type": "manual", "ip": .string("\(network).\(address)"), "netmask": "255.255.255.0",
          "gateway": .string("\(network).1"), "default": ["dns", "gateway"], "dns": ["192.0.2.53"],
          "cloud_properties": ["masquerade": .bool(masquerade)],
        ]
      ],
      env: env)
  }

  /// What a shell command in a VM prints; an error when it fails.
  func shell(_ vm: String, _ script: String) async throws -> String {
    let result = try await cloud.exec(vm, ["sh", "-c", script])
    let output = String(decoding: result.output, as: UTF8.self)
    guard result.status == 0 else {
      throw DroverError(
        .failed, "\(script): status \(result.status): \(output) \(String(decoding: result.errors, as: UTF8.self))")
    }
    return output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func status(_ vm: String) async throws -> VMStatus { try #require(try await cloud.vms().first { $0.id == vm }) }
}

/// What a cloud of that name has on this host: mounts, interfaces, cgroups and nft tables.
enum HostTraces {
  static func of(_ cloud: RuncCloud) async throws -> [String] {
    let name = cloud.configuration.name
    var traces = (Files.textIfPresent("/proc/self/mountinfo") ?? "").split(separator: "\n").map(String.init)
      .filter { $0.contains(cloud.configuration.directory) }
    traces += try await Command("ip", "-oneline", "-details", "link", "show").run().text.split(separator: "\n")
      .map(String.init).filter { $0.contains("drover:\(name):") }
    for hierarchy in try Files.names(in: "/sys/fs/cgroup") {
      let folder = "/sys/fs/cgroup/\(hierarchy)/drover-\(name)"
      if try Files.exists(folder) { traces.append(folder) }
    }
    traces += try await Command("nft", "list", "tables").run().text.split(separator: "\n").map(String.init)
      .filter { $0.contains("drover_\(name)") }
    return traces
  }
}
