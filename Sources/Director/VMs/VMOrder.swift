import AgentProtocol
import Clouds
import Formats

/// A VM that the director wants: what the CPI is asked for.
struct VMOrder: Sendable, Hashable {
  var agentID: String
  /// The stemcell's id in the cloud.
  var stemcell: String
  var cloudProperties: ValueObject
  var networks: ValueObject
  /// Persistent disks that will be attached.
  var disks: [String]
  /// As planning decided it; the bus and the blobs are added by ``request(bus:blobs:)``.
  var env: ValueObject
  var metadata: ValueObject

  /// What the CPI is asked: with the agent's identity on the bus and where it finds blobs in `env.bosh`
  /// (reference/director.md C.9).
  func request(bus: BusSettings, blobs: BlobAddresses) -> VMRequest {
    var env = env
    var bosh = env["bosh"]?.object ?? [:]
    bosh["mbus"] = bus.value
    bosh["blobstores"] = [
      [
        "provider": "dav",
        "options": ["endpoint": .string(blobs.endpoint), "tls": ["cert": ["ca": .string(blobs.caPEM)]]],
      ]
    ]
    env["bosh"] = .object(bosh)
    return VMRequest(
      agentID: agentID, stemcell: stemcell, cloudProperties: cloudProperties, networks: networks, disks: disks, env: env
    )
  }
}
