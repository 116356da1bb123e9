import Formats
import GoConventions
public import PoolsProtocol

extension PoolsClient {
  public func report(_ report: WorkReport) async throws -> Int? {
    let answer = try await ask(
      "POST", "/resources/\(Self.escaped(report.name))/work",
      [
        ("type", report.type), ("owner", owner), ("kind", report.kind.rawValue),
        ("succeeded", report.succeeded ? "true" : "false"), ("ending", String(report.ending.prefix(500))),
        ("took", GoDuration.text(report.duration)),
      ], body: Array(report.log.utf8), contentType: "text/plain; charset=utf-8"
    ) {
      (200..<500).contains($0.status)
    } describe: {
      "status \(Self.status($0.status)), status code \($0.status)"
    }
    // Boskos itself answers unknown paths with nothing.
    return answer.status == 200 ? (try? JSON.parse(answer.body))?["failures"]?.int : nil
  }

  /// Resources by name, without leasing them. For our server only; Boskos does not have it.
  public func resources(type: String? = nil, state: String? = nil) async throws -> [PooledResource] {
    var found: [PooledResource] = []
    let page = 10_000
    while true {
      var query = [("limit", "\(page)")]
      if let type { query.append(("type", type)) }
      if let state { query.append(("state", state)) }
      if let last = found.last { query += [("after", last.name), ("after_type", last.type)] }
      let answer = try await ask("GET", "/resources", query) { answer in
        (200..<500).contains(answer.status)
      } describe: {
        "status \(Self.status($0.status)), status code \($0.status)"
      }
      // Boskos itself answers unknown paths with nothing.
      guard answer.status == 200, let list = try? JSON.parse(answer.body).array else {
        throw PoolsClientError.refused(status: answer.status, "the server cannot list its resources")
      }
      found += try list.map { try PooledResource(json: $0) }
      if list.count < page { return found }
    }
  }
}
