import Documents
import Logging
public import PoolsProtocol
public import Surroundings

/// A resource, and what is remembered of it.
public struct PoolDescription: Sendable {
  public var resource: PooledResource
  /// What became of it lately, the latest first.
  public var transitions: [PoolTransition]
  /// From before that nothing is known.
  public var transitionsSince: Timestamp
  public var work: PoolWorkAccount
}

extension PoolKeeper {
  /// A resource, and what is remembered of it.
  ///
  /// - Throws: nothing available, and ambiguous.
  public func description(_ name: String, type: String?) throws(PoolFault) -> PoolDescription {
    let found = engine.table.named(name, type: type)
    guard let record = found.first else { throw .nothingAvailable(name) }
    guard found.count == 1 else { throw .ambiguous(name, types: found.map(\.type).sorted()) }
    return PoolDescription(
      resource: record.resource, transitions: transitions[record.key], transitionsSince: transitions.start,
      work: works[record.key] ?? PoolWorkAccount())
  }

  /// Notes how work on a resource has ended, as its holder says. What he has said before counts once.
  ///
  /// - Returns: how many times it failed one after the other.
  public func record(
    _ work: PoolWorkRecord, of name: String, type: String?, owner: String
  ) async throws(PoolFault) -> Int {
    let record = try engine.held(name, type: type, by: owner)
    if !work.run.isEmpty, let known = works[record.key], known.records.first?.run == work.run { return known.failures }
    var work = work
    work.at = surroundings.now()
    let before = works[record.key]
    let (account, forgotten) = works.add(record.key, work)
    do {
      try await persist(
        [],
        writes: [.put(PoolDocuments.work, record.key, PoolDocuments.body(account))]
          + forgotten.map { .delete(PoolDocuments.work, $0) })
    } catch {
      // It is reported again, and must not count twice.
      if works[record.key] == account {
        if let before { _ = works.put(record.key, before) } else { _ = works.forget(record.key) }
      }
      throw error
    }
    return account.failures
  }

  /// The state of resources of the type that are put aside.
  func quarantineState(_ type: String) -> String {
    policies[type]?.janitor?.quarantineState ?? policies[type]?.mason?.quarantineState ?? "quarantine"
  }

  /// A resource was put aside.
  func noteQuarantine(_ resource: PooledResource, state: String) async {
    note(.quarantined, type: resource.type, name: resource.name, owner: resource.owner, state: state)
    guard let key = engine.table.named(resource.name, type: resource.type).first?.key,
      let account = works.startAnew(key)
    else { return }
    do {
      try await persist([], writes: [.put(PoolDocuments.work, key, PoolDocuments.body(account))])
    } catch {
      logger.warning("noting what was put aside failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
  }
}

extension PoolDocuments {
  static func body(_ account: PoolWorkAccount) -> [UInt8] {
    var writer = RecordWriter()
    writer.number("failures", Int64(account.failures))
    let names: [StaticString] = ["last", "before", "earlier"]
    for (name, record) in zip(names, account.records) {
      writer.map(
        name,
        [
          "at": "\(record.at.nanoseconds)", "kind": record.kind, "succeeded": record.succeeded ? "yes" : "no",
          "ending": record.ending, "took": "\(record.duration.nanoseconds)", "log": record.log,
          "run": record.run,
        ])
    }
    return writer.end()
  }

  static func account(_ key: String, _ body: [UInt8]) throws -> PoolWorkAccount {
    let reader = try RecordReader(body, "pool-work '\(key)'")
    var account = PoolWorkAccount()
    account.failures = Int(reader.number("failures") ?? 0)
    for name in ["last", "before", "earlier"] {
      let map = reader.map(name)
      guard let at = map["at"].flatMap({ Int64($0) }) else { continue }
      var record = PoolWorkRecord(
        kind: map["kind"] ?? "", succeeded: map["succeeded"] == "yes", ending: map["ending"] ?? "",
        duration: .nanoseconds(map["took"].flatMap { Int64($0) } ?? 0), log: map["log"] ?? "",
        run: map["run"] ?? "")
      record.at = Timestamp(nanoseconds: at)
      account.records.append(record)
    }
    return account
  }
}
