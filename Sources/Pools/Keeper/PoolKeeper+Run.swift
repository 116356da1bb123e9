import Logging
import Surroundings

extension PoolKeeper {
  /// Does what is due by itself, until the task is cancelled: expired resources are taken down on time, forgotten
  /// requests are cleared away, and it is noted that the server lives.
  public func run() async {
    var cleared = surroundings.elapsed()
    while !Task.isCancelled {
      do {
        try await surroundings.sleep(.seconds(1))
      } catch {
        break
      }
      let isClearing = surroundings.elapsed() - cleared >= .seconds(60)
      if isClearing { cleared = surroundings.elapsed() }
      await tick(clearing: isClearing)
    }
    await noteAlive(always: true)
  }

  func tick(clearing: Bool) async {
    do {
      try await perform { engine, now throws(PoolFault) in
        engine.tick(now)
        if clearing { engine.clearQueues(now) }
      }
    } catch {
      logger.warning("doing what was due failed; it is tried again", metadata: ["error": "\(error)"])
    }
    watchPools()
    await noteAlive()
  }
}
