import Formats
public import PoolsProtocol

extension PoolsClient {
  /// Resources by name, without leasing them. For our server only; Boskos does not have it.
  public func resources(type: String? = nil, state: String? = nil) async throws -> [PooledResource] {
    var found: [PooledResource] = []
    let page = 10_000
    while true {
      var query = [("limit", "\(page)")]
      if let type { query.append(("type", type)) }
      if let state { query.append(("state", state)) }
      if let last = found.last { query.append(("after", last.name)) }
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
