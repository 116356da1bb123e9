import Files
import Formats

/// Copies the control files of jobs to where the supervisor reads them, in the order of agent.md 14: numbers count from
/// the end of the list, so that the last job is 0000.
struct ControlFiles: Sendable {
  let layout: VMLayout
  let ownership: Ownership

  /// What is there now: the names of files, with the jobs that they belong to.
  struct Configured: Sendable, Hashable {
    var jobs: [String: String] = [:]

    /// The error, with the jobs whose files it names.
    func blame(_ error: any Error) -> any Error {
      let text = "\(error)"
      let guilty = Set(jobs.filter { text.contains("/\($0.key) ") }.values).sorted()
      if guilty.isEmpty { return error }
      return DroverError(
        .invalid, "reading the monit file of job \(guilty.joined(separator: ", job "))", cause: error)
    }
  }

  func configure(_ jobs: [String]) throws -> Configured {
    try ownership.folder(layout.monitJobs, 0o750)
    var wanted = Configured()
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
        wanted.jobs[target] = job
      }
    }
    for name in try Files.names(in: layout.monitJobs) where wanted.jobs[name] == nil {
      try Files.remove("\(layout.monitJobs)/\(name)")
    }
    return wanted
  }
}
