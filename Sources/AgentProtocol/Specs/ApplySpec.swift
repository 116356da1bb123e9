public import Formats

/// What an instance shall run: the argument of `apply`, `prepare` and `drain`, kept by the agent and echoed by
/// `get_state` (reference/agent.md 9, reference/director.md C.6).
public struct ApplySpec: Sendable, Hashable {
  /// Kept as sent. Rendering uses them only for specs whose templates are rendered on the VM; the agent itself looks at
  /// `logging.max_log_file_size`.
  public var properties: ValueObject
  public var job: Job
  /// By package name, in the order sent.
  public var packages: [Package]
  /// Empty means: do not install anything, only keep the spec.
  public var configurationHash: String
  /// Kept verbatim; the director compares them for equality.
  public var networks: ValueObject
  /// Kept verbatim.
  public var resourcePool: Value
  public var deployment: String
  /// The instance group's name.
  public var name: String
  public var index: Int?
  /// The instance's UUID.
  public var id: String
  public var az: String
  /// In MB.
  public var persistentDisk: Int
  public var renderedTemplatesArchive: RenderedTemplatesArchive?
  /// The release that the templates are told of, in specs whose templates are rendered on the VM. Not kept.
  public var release: Release?

  public init(
    deployment: String = "", name: String = "", id: String = "", index: Int? = nil, az: String = "", job: Job = Job(),
    packages: [Package] = [], configurationHash: String = "", networks: ValueObject = [:], persistentDisk: Int = 0,
    renderedTemplatesArchive: RenderedTemplatesArchive? = nil, properties: ValueObject = [:],
    resourcePool: Value = [:]
  ) {
    self.deployment = deployment
    self.name = name
    self.id = id
    self.index = index
    self.az = az
    self.job = job
    self.packages = packages
    self.configurationHash = configurationHash
    self.networks = networks
    self.persistentDisk = persistentDisk
    self.renderedTemplatesArchive = renderedTemplatesArchive
    self.properties = properties
    self.resourcePool = resourcePool
  }

  /// The jobs of an instance.
  public struct Job: Sendable, Hashable {
    /// Nil and null are the same.
    public var name: String?
    public var release: String
    public var template: String
    public var version: String
    public var templates: [Template]

    public init(
      name: String? = nil, release: String = "", template: String = "", version: String = "",
      templates: [Template] = []
    ) {
      self.name = name
      self.release = release
      self.template = template
      self.version = version
      self.templates = templates
    }

    /// Those that start, stop, drain and are watched: all but errands.
    public var lifecycleNames: [String] { templates.filter { !$0.isErrand }.map(\.name) }
  }

  /// One job. Digest and blob are there only when the director sends them.
  public struct Template: Sendable, Hashable {
    public var name: String
    public var version: String
    /// A multi-digest.
    public var sha1: String?
    public var blobstoreID: String?
    /// Whether it is an errand of a release: an extension of ours. It is installed in a place of its own, and has neither
    /// services nor scripts that are run by their names.
    public var isErrand: Bool

    public init(
      name: String, version: String, sha1: String? = nil, blobstoreID: String? = nil, isErrand: Bool = false
    ) {
      self.name = name
      self.version = version
      self.sha1 = sha1
      self.blobstoreID = blobstoreID
      self.isErrand = isErrand
    }
  }

  /// A compiled package.
  public struct Package: Sendable, Hashable {
    public var name: String
    public var version: String
    /// A multi-digest.
    public var sha1: String
    public var blobstoreID: String
    public var signedURL: String
    public var blobstoreHeaders: [String: String]

    public init(
      name: String, version: String, sha1: String, blobstoreID: String = "", signedURL: String = "",
      blobstoreHeaders: [String: String] = [:]
    ) {
      self.name = name
      self.version = version
      self.sha1 = sha1
      self.blobstoreID = blobstoreID
      self.signedURL = signedURL
      self.blobstoreHeaders = blobstoreHeaders
    }
  }

  /// The archive with the rendered templates of all jobs.
  public struct RenderedTemplatesArchive: Sendable, Hashable {
    /// A multi-digest.
    public var sha1: String
    public var blobstoreID: String
    /// Where to get it without a blobstore client of one's own: an extension of ours. Empty for none.
    public var signedURL: String

    public init(sha1: String, blobstoreID: String, signedURL: String = "") {
      self.sha1 = sha1
      self.blobstoreID = blobstoreID
      self.signedURL = signedURL
    }
  }

  /// A release by its name.
  public struct Release: Sendable, Hashable {
    public var name: String
    public var version: String

    public init(name: String, version: String) {
      self.name = name
      self.version = version
    }
  }

  /// The jobs to install: the templates, when their rendered archive or they themselves are given.
  public var jobs: [Template] { renderedTemplatesArchive != nil || rendersOnVM ? job.templates : [] }

  /// Whether the templates come as they are, each job's in a blob of its own, to be rendered on the VM: as directors did
  /// it before there were archives of rendered templates.
  public var rendersOnVM: Bool {
    guard renderedTemplatesArchive == nil, !configurationHash.isEmpty, !job.templates.isEmpty else { return false }
    return job.templates.allSatisfy { $0.sha1?.isEmpty == false && $0.blobstoreID?.isEmpty == false }
  }

  /// From which size on logs are rotated, as logrotate writes it.
  public var maximumLogFileSize: String {
    let size = properties["logging"]?["max_log_file_size"]?.scalarText ?? ""
    return size.isEmpty ? "50M" : size
  }
}
