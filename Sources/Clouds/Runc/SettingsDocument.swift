import Formats

/// The settings document of a VM, which its agent reads at every start (reference/agent.md 4).
enum SettingsDocument {
  /// Where the stemcell's agent.json tells the agent to look.
  static let path = "/var/vcap/bosh/user_data.json"

  /// - Parameters:
  ///   - agent: fallbacks of the cloud's configuration for `mbus`, `blobstore` and `ntp`.
  ///   - disks: ids of the disks that are attached.
  static func make(
    request: VMRequest, vm: String, networks: [VMNetwork], agent: ValueObject, disks: [String]
  ) -> ValueObject {
    [
      "agent_id": .string(request.agentID),
      "vm": ["name": .string(vm)],
      "mbus": agent["mbus"] ?? "",
      "ntp": agent["ntp"] ?? [],
      "blobstore": agent["blobstore"] ?? ["provider": "dummy", "options": [:]],
      "networks": .object(settings(request.networks, networks)),
      "disks": Self.disks(disks),
      "env": .object(request.env),
    ]
  }

  /// The networks as requested, with the interface's address and the word that nothing is left to configure.
  static func settings(_ requested: ValueObject, _ networks: [VMNetwork]) -> ValueObject {
    var result = requested
    for network in networks {
      guard var settings = requested[network.name]?.object else { continue }
      settings["mac"] = .string(network.mac)
      settings["preconfigured"] = true
      result[network.name] = .object(settings)
    }
    return result
  }

  static func disks(_ disks: [String]) -> Value {
    ["persistent": .object(ValueObject(disks.map { ($0, VMDisk.hint($0)) }))]
  }
}

/// How a persistent disk is seen in a VM.
enum VMDisk {
  static func path(_ disk: String) -> String { "/var/vcap/disks/\(disk)" }
  /// By which the agent finds it.
  static func hint(_ disk: String) -> Value { ["path": .string(path(disk))] }
}
