import AgentProtocol

/// Where everything is on a VM (reference/agent.md 10, 19). All paths are absolute.
public struct VMLayout: Sendable, Hashable {
  /// `/var/vcap`.
  public let base: String

  public init(base: String = "/var/vcap") { self.base = base }

  var bosh: String { "\(base)/bosh" }
  var agentConfiguration: String { "\(bosh)/agent.json" }
  var agentState: String { "\(bosh)/agent_state.json" }
  var spec: String { "\(bosh)/spec.json" }
  /// Records of tasks, one file each.
  var tasks: String { "\(bosh)/tasks" }
  /// The folders of the runner.
  var runs: String { "\(bosh)/runs" }
  var etc: String { "\(bosh)/etc" }
  var agentLog: String { "\(bosh)/log" }
  /// A tmpfs that tells whether the machine was rebooted.
  var canRestart: String { "\(bosh)/canrestart" }
  var managedDisk: String { "\(bosh)/managed_disk_settings.json" }

  /// Where the settings files are: on a tmpfs of their own when the settings ask for it.
  func settings(onTmpfs: Bool = false) -> String { onTmpfs ? "\(bosh)/settings" : bosh }

  var data: String { "\(base)/data" }
  var sys: String { "\(base)/sys" }
  var dataSys: String { "\(data)/sys" }
  var logs: String { "\(dataSys)/log" }
  var run: String { "\(dataSys)/run" }
  var dataJobs: String { "\(data)/jobs" }
  var dataPackages: String { "\(data)/packages" }
  var jobs: String { "\(base)/jobs" }
  var packages: String { "\(base)/packages" }
  var blobs: String { "\(data)/blobs" }
  var sensitiveBlobs: String { "\(data)/sensitive_blobs" }
  var dynamicDisks: String { "\(data)/dynamic_disks" }
  var temporary: String { "\(data)/tmp" }
  var rootTemporary: String { "\(data)/root_tmp" }
  var compile: String { "\(data)/compile" }
  var compilationLogs: String { "\(logs)/compilation" }

  var monit: String { "\(base)/monit" }
  var monitJobs: String { "\(monit)/job" }
  var instance: String { "\(base)/instance" }
  var health: String { "\(instance)/health.json" }
  /// How far every job is with its drain.
  var drains: String { "\(instance)/drain.json" }
  var dnsRecords: String { "\(instance)/dns/records.json" }
  var instanceDisks: String { "\(instance)/disks" }
  var sshHomes: String { "\(base)/bosh_ssh" }
  var store: String { "\(base)/store" }
  var storeMigrationTarget: String { "\(base)/store_migration_target" }

  /// The script of an errand, below its folder.
  static let errandScript = "execute"
  /// What is run when an errand is: the script of an errand, or of a job that has one.
  func errandScript(of template: ApplySpec.Template) -> String {
    template.isErrand
      ? "\(Bundle.Kind.errands.links(self))/\(template.name)/\(Self.errandScript)" : script("run", of: template.name)
  }

  /// The link under which everybody finds a job.
  func job(_ name: String) -> String { "\(jobs)/\(name)" }
  /// A script of a job.
  func script(_ name: String, of job: String) -> String { "\(self.job(job))/bin/\(name)" }
}
