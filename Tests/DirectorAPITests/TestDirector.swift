import AgentProtocol
import Blobs
import Clouds
import Director
import Documents
import Formats
import Hummingbird
import HummingbirdTesting
import Logging
import Messaging
import Surroundings
import Templates
import TestSupport

@testable import DirectorAPI

/// A director on engines in memory, with a user `admin`, and its API without sockets.
enum TestDirector {
  static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// - Parameter workDirectory: where uploads are put; a folder of its own when nil.
  static func with(
    blobs: MemoryBlobStore = MemoryBlobStore(surroundings: .system), surroundings: Surroundings = .system,
    workDirectory: String? = nil,
    _ body: @escaping @Sendable (_ client: any TestClientProtocol, _ director: Director) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let director = try await Director(
        .init(name: "test", id: "d1", version: "1"),
        DirectorEngines(
          store: MemoryDocumentStore(), journals: MemoryJournals(), blobs: blobs,
          blobAddresses: BlobAddresses(
            endpoint: "https://10.0.0.1:1", caPEM: "", signer: SignedURL(secret: [1, 2, 3]), surroundings: surroundings),
          bus: MemoryBus(), identities: NoIdentities(), cloud: NoCloud(), renderer: FixedRenderer(),
          surroundings: surroundings, logger: logger, workDirectory: workDirectory ?? folder))
      let router = DirectorServer.router(director, users: Users(["admin": "secret"])) { [] }
      try await Application(router: router, logger: logger).test(.router) { try await body($0, director) }
      await director.stop()
    }
  }

  static let authorization = "Basic \(Base64.encode(Array("admin:secret".utf8)))"
}

struct NoIdentities: AgentIdentities {
  func issue(_ agentID: String) async throws -> BusSettings { BusSettings(urls: []) }
  func withdraw(_ agentID: String) async throws {}
  func restore(_ agentIDs: [String]) async throws {}
}

/// A cloud that has nothing and makes nothing.
struct NoCloud: CloudProvider {
  private var refusal: CloudError { CloudError(.notImplemented, "there is no cloud here") }
  func info() async throws -> CloudInfo { CloudInfo(stemcellFormats: [], apiVersion: 2) }
  func createStemcell(imagePath: String, cloudProperties: ValueObject, tags: ValueObject) async throws -> String {
    throw refusal
  }
  func deleteStemcell(_ stemcell: String) async throws { throw refusal }
  func createVM(_ request: VMRequest) async throws -> CreatedVM { throw refusal }
  func deleteVM(_ vm: String) async throws { throw refusal }
  func hasVM(_ vm: String) async throws -> Bool { false }
  func rebootVM(_ vm: String) async throws { throw refusal }
  func setVMMetadata(_ vm: String, _ metadata: ValueObject) async throws {}
  func calculateVMCloudProperties(_ size: VMSize) async throws -> ValueObject { [:] }
  func createDisk(megabytes: Int, cloudProperties: ValueObject, vm: String?) async throws -> String { throw refusal }
  func deleteDisk(_ disk: String) async throws { throw refusal }
  func hasDisk(_ disk: String) async throws -> Bool { false }
  func attachDisk(_ disk: String, to vm: String) async throws -> Value { throw refusal }
  func detachDisk(_ disk: String, from vm: String) async throws { throw refusal }
  func disks(of vm: String) async throws -> [String] { [] }
  func setDiskMetadata(_ disk: String, _ metadata: ValueObject) async throws {}
  func resizeDisk(_ disk: String, megabytes: Int) async throws { throw refusal }
}
