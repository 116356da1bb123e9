import Documents
import FoundationEssentials
import Surroundings

/// New tasks.
extension TaskBoard {
  /// What a new task is made of.
  public struct Order: Sendable {
    public var type: String
    public var description: String
    public var user: String
    public var deployment: String?
    public var contextID: String
    /// What it is asked to do, as JSON text.
    public var request: String
    /// The task that starts it, under whose locks it runs.
    public var parent: Int?
    /// Whether the parent waits for it.
    public var isAwaited: Bool?
    public var cause: TaskCause?

    public init(
      type: String, description: String, user: String, deployment: String? = nil, contextID: String = "",
      request: some Encodable
    ) throws {
      self.type = type
      self.description = description
      self.user = user
      self.deployment = deployment
      self.contextID = contextID
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      self.request = String(decoding: try encoder.encode(request), as: UTF8.self)
    }
  }

  /// Records a task and starts it. Once this returns, the task will be done even if the server is killed.
  public func start(_ order: Order) async throws -> Int {
    let id = try await reserveID()
    return try await start(order, id: id)
  }

  /// The id of a task that will be started with ``start(_:id:)``: for those whose request lies in a folder of that name.
  public func reserveID() async throws -> Int { Int(try await store.nextNumber("task")) }

  public func start(_ order: Order, id: Int) async throws -> Int {
    let record = record(order, id: id)
    try await records.create(TaskRecord.documentName(id), record)
    launch(record)
    return id
  }

  /// The same, unless a task with that id is on record: whoever recorded it has started it, or the server's start has.
  func startOnce(_ order: Order, id: Int) async throws {
    do {
      _ = try await start(order, id: id)
    } catch  where error.isDocumentExists {}
  }

  /// The same, with other writes in the one commit that records it: all of it is done, or nothing.
  func start(_ order: Order, id: Int, along writes: [Write]) async throws {
    let record = record(order, id: id)
    _ = try await store.commit([records.creating(TaskRecord.documentName(id), record)] + writes)
    launch(record)
  }

  private func record(_ order: Order, id: Int) -> TaskRecord {
    var record = TaskRecord(
      id: id, type: order.type, description: order.description, user: order.user, deployment: order.deployment,
      createdAt: surroundings.now().seconds, request: order.request)
    record.contextID = order.contextID
    record.parent = order.parent
    record.isAwaited = order.isAwaited
    record.cause = order.cause
    return record
  }

  /// Records and starts a task unless `check` throws; of several that are asked for at the same time, each is checked when
  /// the one before is recorded.
  func start(_ order: Order, unless check: @escaping @Sendable () async throws -> Void) async throws -> Int {
    let before = lastChecked
    let start = surroundings.task { () async throws -> Int in
      _ = await before?.result
      try await check()
      return try await self.start(order)
    }
    lastChecked = start
    return try await start.value
  }
}
