import ArgumentParser
import Formats

/// Asks the server how instances or VMs are.
private func rows(of kind: String, _ options: GlobalOptions, _ client: DirectorClient) async throws
  -> [(deployment: String, row: Value)]
{
  var names: [String] = []
  if let name = try? options.requireDeployment() {
    names = [name]
  } else {
    names = (try await client.get("/deployments").array ?? []).compactMap { $0["name"]?.string }
  }
  var all: [(String, Value)] = []
  for name in names {
    let task = try await client.start(.get, "/deployments/\(PathText.escape(name))/\(kind)?format=full")
    let follower = TaskFollower(client: client, task: task)
    try await follower.follow("event") { _ in }
    let end = try await follower.state()
    guard end.state == "done" else { throw DroverError(.failed, "Task \(task): \(end.result ?? end.state)") }
    all += try await follower.resultLines().map { (name, $0) }
  }
  return all
}

private func uptime(_ seconds: Int?) -> String {
  guard let seconds else { return "-" }
  let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60)
  return days > 0
    ? "\(days)d \(hours)h \(minutes)m" : hours > 0 ? "\(hours)h \(minutes)m" : "\(minutes)m \(seconds % 60)s"
}

private func memory(_ kilobytes: Int?) -> String { kilobytes.map { "\(($0 + 512) / 1024) MB" } ?? "-" }

struct Instances: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instances", abstract: "List the instances and how they are.")
  @OptionGroup var options: GlobalOptions
  @Flag(help: "With their processes.") var ps = false

  func run() async throws {
    try await options.withClient { client in
      let found = try await rows(of: "instances", options, client)
      let columns = ["Instance", "Process", "Process State", "AZ", "IPs", "Deployment", "Uptime", "Memory"]
      var table: [[String]] = []
      for (deployment, row) in found {
        let name = "\(row["job_name"]?.string ?? "")/\(row["id"]?.string ?? "")"
        let ips = (row["ips"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
        let vitals = row["vitals"]
        table.append([
          name, "-", row["job_state"]?.string ?? "-", row["az"]?.string ?? "-", ips, deployment,
          uptime(vitals?["uptime"]?["secs"]?.int), memory(vitals?["mem"]?["kb"]?.string.flatMap { Int($0) }),
        ])
        guard ps else { continue }
        for process in row["processes"]?.array ?? [] {
          table.append([
            name, process["name"]?.string ?? "", process["state"]?.string ?? "", "-", "-", deployment,
            uptime(process["uptime"]?["secs"]?.int), memory(process["mem"]?["kb"]?.int),
          ])
        }
      }
      if !ps {
        let wanted = [0, 2, 3, 4, 5]
        Table("instances", wanted.map { columns[$0] }, table.map { row in wanted.map { row[$0] } })
          .print(json: options.json)
      } else {
        Table("rows", columns, table).print(json: options.json)
      }
    }
  }
}

struct VMs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "vms", abstract: "List the VMs.")
  @OptionGroup var options: GlobalOptions

  func run() async throws {
    try await options.withClient { client in
      let table = try await rows(of: "vms", options, client).map { deployment, row in
        [
          "\(row["job_name"]?.string ?? "")/\(row["id"]?.string ?? "")", row["job_state"]?.string ?? "-",
          row["az"]?.string ?? "-", (row["ips"]?.array ?? []).compactMap(\.string).joined(separator: ", "),
          row["vm_cid"]?.string ?? "-", deployment,
          "\(row["stemcell"]?["name"]?.string ?? "-")/\(row["stemcell"]?["version"]?.string ?? "")",
        ]
      }
      Table("vms", ["Instance", "Process State", "AZ", "IPs", "VM CID", "Deployment", "Stemcell"], table)
        .print(json: options.json)
    }
  }
}
