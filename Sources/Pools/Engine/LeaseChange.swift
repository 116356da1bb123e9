/// One thing that an operation changed, before and after: what is written to the store, and how to take it back.
enum LeaseChange: Sendable, Hashable {
  /// A resource by its key.
  case resource(String, before: PoolRecord?, after: PoolRecord?)
  case lifeCycle(String, before: LifeCycle?, after: LifeCycle?)
  case waiter(QueueKey, before: WaitQueue.Waiter?, after: WaitQueue.Waiter?)
}
