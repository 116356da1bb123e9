import Formats
import Processes

/// Copies the control files of jobs to where the supervisor reads them, in the order of agent.md 14: numbers count from
/// the end of the list, so that the last job is 0000.
struct ControlFiles: Sendable {
  let layout: VMLayout
  let ownership: Ownership

  func configure(_ jobs: [String]) throws {
    try ownership.folder(layout.monitJobs, 0o750)
    var wanted: Set<String> = []
    for (place, job) in jobs.reversed().enumerated() {
      let folder = layout.job(try SafeName.component(job, "job"))
      let number = String(repeating: "0", count: max(0, 4 - String(place).count)) + String(place)
      for name in try Files.names(in: folder) {
        let target: String
        if name == "monit" {
          target = "\(number)_\(job).monitrc"
        } else if name.hasSuffix(".monit"), name.count > ".monit".count {
          target = "\(number)_\(job)_\(name.dropLast(".monit".count)).monitrc"
        } else {
          continue
        }
        try ownership.file("\(layout.monitJobs)/\(target)", Files.read("\(folder)/\(name)"), 0o600)
        wanted.insert(target)
      }
    }
    for name in try Files.names(in: layout.monitJobs) where !wanted.contains(name) {
      try Files.remove("\(layout.monitJobs)/\(name)")
    }
  }
}
