import Pools
import PoolsProtocol

extension PoolCalls {
  /// What the original does not have: looking at resources without leasing them. User data is not shown.
  func resources(_ call: PoolCall, _ query: PoolQuery, _ user: PoolUsers.User?) async -> PoolReply {
    guard call.path == "/resources" || call.path.hasPrefix("/resources/") else {
      return .error(404, "404 page not found")
    }
    if call.path.hasPrefix("/resources/") {
      let parts = call.path.split(separator: "/").map(String.init)
      if parts.count == 3, parts[2] == "work" { return await work(call, parts[1], query, user) }
      guard parts.count == 2 else { return .error(404, "404 page not found") }
      guard call.method == "GET" else { return .error(405, "Method \(call.method), /resources only accepts GET.") }
      return await describe(parts[1], query)
    }
    guard call.method == "GET" else { return .error(405, "Method \(call.method), /resources only accepts GET.") }
    let limit: Int
    switch query.given("limit").map({ Int($0) }) {
    case nil: limit = 1000
    case .some(let number?) where (1...10_000).contains(number): limit = number
    default: return .error(400, "limit: expected a number from 1 to 10000")
    }
    let found = await keeper.resources(
      type: query.given("type"), state: query.given("state"), owner: query.given("owner"),
      after: (query["after"], query["after_type"]), limit: limit)
    var body: [UInt8] = [UInt8(ascii: "[")]
    for (index, resource) in found.enumerated() {
      if index > 0 { body.append(UInt8(ascii: ",")) }
      var shown = resource
      shown.userData = [:]
      shown.appendJSON(to: &body)
    }
    return .success(body + Array("]\n".utf8), type: PoolReply.json)
  }
}
