import Formats
import GoConventions
import Pools
import PoolsProtocol
import Surroundings

extension PoolCalls {
  /// A resource, what became of it lately, and how work on it has ended.
  func describe(_ name: String, _ query: PoolQuery) async -> PoolReply {
    do {
      var description = try await keeper.description(name, type: query.given("type"))
      description.resource.userData = [:]
      return .success(Self.json(description), type: PoolReply.json)
    } catch .nothingAvailable {
      return .error(404, "no resource \(GoText.quoted(name)) exists")
    } catch {
      return refused(error, "")
    }
  }

  private static func json(_ description: PoolDescription) -> [UInt8] {
    var bytes = Array(description.resource.json.dropLast())
    let fields: ValueObject = [
      "history": .array(
        description.transitions.map { transition in
          [
            "at": .string(GoTime.text(transition.at)), "what": .string(transition.kind.rawValue),
            "from": .string(transition.from), "to": .string(transition.to), "owner": .string(transition.owner),
          ]
        }),
      "history-since": .string(GoTime.text(description.transitionsSince)),
      "work": .array(
        description.work.records.map { record in
          [
            "at": .string(GoTime.text(record.at)), "kind": .string(record.kind),
            "succeeded": .bool(record.succeeded), "ending": .string(record.ending),
            "took": .string(GoDuration.text(record.duration)), "log": .string(record.log),
          ]
        }),
      "failures": .int(description.work.failures),
    ]
    bytes.append(UInt8(ascii: ","))
    return bytes + JSON.bytes(.object(fields)).dropFirst() + [UInt8(ascii: "\n")]
  }

  /// `POST /resources/NAME/work`: who holds a resource says how work on it has ended.
  func work(
    _ call: PoolCall, _ name: String, _ query: PoolQuery, _ user: PoolUsers.User?
  ) async -> PoolReply {
    guard call.method == "POST" else {
      return .error(405, "Method \(call.method), /resources/NAME/work only accepts POST.")
    }
    let (owner, kind, took) = (query["owner"], query["kind"], query["took"])
    guard !owner.isEmpty, ["clean", "build"].contains(kind), ["true", "false"].contains(query["succeeded"]) else {
      return .error(400, "owner, kind (clean or build) and succeeded (true or false) must be set in the request.")
    }
    if let refusal = refusal(user, owner: owner) { return refusal }
    do {
      let body = try await call.body(64 << 10)
      let duration = took.isEmpty ? .zero : try GoDuration.parse(took)
      let record = PoolWorkRecord(
        kind: kind, succeeded: query["succeeded"] == "true", ending: query["ending"], duration: duration,
        log: String(decoding: body.suffix(4 << 10), as: UTF8.self))
      let failures = try await keeper.record(record, of: name, type: query.given("type"), owner: owner)
      return .success(Array("{\"failures\":\(failures)}\n".utf8), type: PoolReply.json)
    } catch let fault as PoolFault {
      return refused(fault, "")
    } catch let error as DroverError where error.code == .tooLarge {
      return .error(413, error.message)
    } catch {
      return .error(400, "\(error)")
    }
  }

  /// `GET /events`: what people should know of, the oldest first.
  func events(_ call: PoolCall, _ query: PoolQuery) async -> PoolReply {
    guard call.method == "GET" else { return .error(405, "Method \(call.method), /events only accepts GET.") }
    guard let after = Int64(query.given("after") ?? "0"), after >= 0 else {
      return .error(400, "after: expected the number of an event")
    }
    guard let limit = Int(query.given("limit") ?? "1000"), (1...10_000).contains(limit) else {
      return .error(400, "limit: expected a number from 1 to 10000")
    }
    var kinds: Set<PoolEvent.Kind> = []
    for name in (query.given("event") ?? "").split(separator: ",") {
      guard let kind = PoolEvent.Kind(rawValue: String(name)) else {
        let known = PoolEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        return .error(400, "event: expected some of \(known)")
      }
      kinds.insert(kind)
    }
    let wait: Duration
    do { wait = try Self.wait(query) ?? .zero } catch { return .error(400, "\(error)") }
    let found = await keeper.events(after: after, kinds: kinds, type: query.given("type"), limit: limit, wait: wait)
    let value: Value = [
      "events": .array(found.events.map(Self.value)), "last": .int(Int(found.last)),
      "forgotten": .bool(after > 0 && found.hasForgotten),
    ]
    return .success(JSON.bytes(value) + [UInt8(ascii: "\n")], type: PoolReply.json)
  }

  private static func value(_ event: PoolEvent) -> Value {
    var fields: ValueObject = [
      "id": .int(Int(event.number)), "at": .string(GoTime.text(event.at)), "event": .string(event.kind.rawValue),
    ]
    let texts = [
      ("type", event.type), ("name", event.name), ("owner", event.owner), ("state", event.state),
      ("message", event.message),
    ]
    for (name, text) in texts where !text.isEmpty { fields[name] = .string(text) }
    return .object(fields)
  }
}
