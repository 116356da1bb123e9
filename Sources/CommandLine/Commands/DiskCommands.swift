import ArgumentParser
import Formats

struct Disks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disks", abstract: "List the persistent disks that no instance has any more.")
  @OptionGroup var options: GlobalOptions
  @Flag(name: [.short, .long], help: "Those without an owner; there is no other listing.") var orphaned = false

  func validate() throws {
    if !orphaned { throw ValidationError("expected --orphaned; disks that are in use are those of 'drover instances'") }
  }

  func run() async throws {
    try await options.withClient { client in
      let rows = (try await client.get("/disks").array ?? []).map { disk in
        [
          disk["disk_cid"]?.string ?? "", disk["size"]?.int.map { "\($0) MiB" } ?? "",
          disk["deployment_name"]?.string ?? "", disk["instance_name"]?.string ?? "",
          disk["orphaned_at"]?.string ?? "",
        ]
      }
      Table("disks", ["Disk CID", "Size", "Deployment", "Instance", "Orphaned At"], rows).print(json: options.json)
    }
  }
}
