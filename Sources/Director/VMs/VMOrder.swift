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
  /// `env` of the manifest; `bosh` is completed by ``request(bus:blobs:)``.
  var env: ValueObject
  /// Names of the director, deployment and group, of which the VM's groups are made.
  var groups: [String]
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
    bosh["group"] = .string(groups.joined(separator: "-"))
    bosh["groups"] = Value(Self.combinations(of: groups))
    env["bosh"] = .object(bosh)
    return VMRequest(
      agentID: agentID, stemcell: stemcell, cloudProperties: cloudProperties, networks: networks, disks: disks, env: env
    )
  }

  /// The three names, and the joins of neighbours: director, deployment, group, director-deployment, deployment-group,
  /// director-deployment-group.
  static func combinations(of names: [String]) -> [String] {
    guard names.count == 3 else { return names }
    return names + [
      names[0...1].joined(separator: "-"), names[1...2].joined(separator: "-"), names.joined(separator: "-"),
    ]
  }
}
