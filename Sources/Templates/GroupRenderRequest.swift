public import Formats

/// The jobs of one instance, to be rendered together so that one report names every error.
public struct GroupRenderRequest: Sendable, Hashable {
  /// The instance group's name, for the report.
  public var instanceGroup: String
  public var jobs: [JobRenderRequest]

  public init(instanceGroup: String, jobs: [JobRenderRequest]) {
    self.instanceGroup = instanceGroup
    self.jobs = jobs
  }
}

/// One job of one instance: its templates and what they may know.
public struct JobRenderRequest: Sendable, Hashable {
  public var jobName: String
  /// The text of the job's monit file, which is a template too.
  public var monit: [UInt8]
  public var templates: [JobTemplate]
  /// What the templates see as `spec`, `properties`, `p`, `link` and so on (`reference/lifecycle.md` 4.1): an object
  /// with deployment, job{name}, index, bootstrap, name, id, az, networks, properties, links, dns_domain_name,
  /// persistent_disk, address, ip, release{name, version}.
  ///
  /// `properties` and `links` are this job's own: properties with the defaults of its spec filled in, links by the name
  /// under which the job consumes them.
  public var spec: Value
  /// The links that the job provides, for `.bosh/links.json`.
  public var providedLinks: [ProvidedLink]

  public init(
    jobName: String, monit: [UInt8], templates: [JobTemplate], spec: Value, providedLinks: [ProvidedLink] = []
  ) {
    self.jobName = jobName
    self.monit = monit
    self.templates = templates
    self.spec = spec
    self.providedLinks = providedLinks
  }
}

/// A template of a job.
public struct JobTemplate: Sendable, Hashable {
  /// Its path in the job's `templates` folder; error messages name it.
  public var source: String
  /// The path of the rendered file in the job's folder on the instance.
  public var destination: String
  /// Its text.
  public var content: [UInt8]

  public init(source: String, destination: String, content: [UInt8]) {
    self.source = source
    self.destination = destination
    self.content = content
  }
}

/// A link that a job provides, as `.bosh/links.json` tells the agent about it.
public struct ProvidedLink: Sendable, Hashable {
  public var name: String
  public var type: String
  /// The number of the link's group in DNS names, as text.
  public var group: String

  public init(name: String, type: String, group: String) {
    self.name = name
    self.type = type
    self.group = group
  }
}
