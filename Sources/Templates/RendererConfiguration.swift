/// How templates are rendered, and what a job's templates may use at most.
public struct RendererConfiguration: Sendable, Hashable {
  /// The Ruby program, 3.1 or newer. It must be under `/usr` (or another of ``readableFolders``), because a sandbox
  /// sees nothing else.
  public var ruby: String
  /// How many preloaded Ruby processes wait for work; they are started when the first job comes.
  public var workers: Int
  /// How many jobs are rendered at the same time.
  public var concurrency: Int
  /// How long the templates of one job may take together.
  public var timeLimit: Duration
  /// How much memory the templates of one job may use, in bytes, beyond what Ruby itself needs.
  public var memoryLimit: Int
  /// How large the rendered files of one job may be together, in bytes.
  public var outputLimit: Int
  /// The folders of this machine that templates can read, beside a few files that Ruby needs.
  public var readableFolders: [String]
  /// The first of the 2²⁴ user and group numbers from which each job gets one of its own. Nothing else on the machine
  /// may use them.
  public var firstUser: UInt32

  public init(
    ruby: String = "/usr/bin/ruby", workers: Int = 1, concurrency: Int = 4, timeLimit: Duration = .seconds(10),
    memoryLimit: Int = 256 << 20, outputLimit: Int = 16 << 20,
    readableFolders: [String] = ["/usr"], firstUser: UInt32 = 0x7400_0000
  ) {
    self.ruby = ruby
    self.workers = workers
    self.concurrency = concurrency
    self.timeLimit = timeLimit
    self.memoryLimit = memoryLimit
    self.outputLimit = outputLimit
    self.readableFolders = readableFolders
    self.firstUser = firstUser
  }
}
