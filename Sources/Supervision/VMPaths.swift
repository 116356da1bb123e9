/// Where things are on a VM, below a base folder that is `/var/vcap` everywhere but in tests.
public struct VMPaths: Sendable, Hashable {
  public let base: String

  public init(base: String = "/var/vcap") { self.base = base }

  /// The folder of an installed job.
  public func job(_ name: String) -> String { "\(base)/jobs/\(name)" }
  /// A program of a job, such as `pre-start`.
  public func program(_ name: String, job: String) -> String { "\(self.job(job))/bin/\(name)" }
  /// Where the output of a job's scripts goes.
  public func logs(job: String) -> String { "\(base)/sys/log/\(job)" }
  /// The control files of the jobs that are to be supervised, one `NNNN_JOB.monitrc` each.
  public var controlFiles: String { "\(base)/monit/job" }
  /// Is there while the operator has stopped the jobs.
  public var stoppedMark: String { "\(base)/monit/stopped" }
  /// What the supervisor remembers over restarts.
  public var supervisorMemory: String { "\(base)/monit/supervisor.json" }
  /// `user:password` of monit's HTTP face.
  public var monitUser: String { "\(base)/monit/monit.user" }
}
