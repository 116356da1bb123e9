import Formats
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import DirectorAPI

@Suite struct VariableRouteTests {
  private let headers: HTTPFields = [.authorization: TestDirector.authorization]

  private func send(
    _ client: any TestClientProtocol, _ method: HTTPRequest.Method, _ path: String, _ body: Value? = nil
  ) async throws -> (status: Int, value: Value) {
    try await client.execute(
      uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: JSON.text($0)) }
    ) { response in
      (response.status.code, (try? JSON.parse(String(buffer: response.body))) ?? .null)
    }
  }

  @Test("a variable is set, shown only to who asks for its value, and deleted")
  func life() async throws {
    try await TestDirector.with { client, _ in
      let path = "/variables/value?name=%2Ftest%2Fdata%2Fpw"
      for value: Value in ["secret", ["certificate": "c", "private_key": "k"], 7, false] {
        let set = try await send(client, .put, path, ["value": value, "type": "mine"])
        #expect(set.status == 200 && set.value["value"] == nil && set.value["set_by_hand"] == true)
        let got = try await send(client, .get, path)
        #expect(got.value["value"] == value && got.value["type"] == "mine" && got.value["id"] == set.value["id"])
      }
      let list = try await send(client, .get, "/variables").value.array ?? []
      #expect(list.map { $0["name"] } == ["/test/data/pw"] && list[0]["value"] == nil)
      #expect(try await send(client, .get, "/variables?prefix=/test/data/").value.array?.count == 1)
      #expect(try await send(client, .get, "/variables?prefix=/test/other/").value == [])
      let rotated = try await send(client, .post, "/variables/rotate?name=/test/data/pw")
      #expect(rotated.status == 200 && rotated.value["rotates"] == true)
      #expect(try await send(client, .post, "/variables/rotate?name=/test/none").status == 404)
      #expect(try await send(client, .delete, path).status == 204)
      #expect(try await send(client, .get, path).status == 404)
      #expect(try await send(client, .delete, path).status == 404)
    }
  }

  @Test(
    "names that are none, and nothing to set, are refused",
    arguments: [
      ("?name=relative", ["value": 1]), ("?name=/a//b", ["value": 1]), ("?name=/", ["value": 1]),
      ("?name=/a%20b", ["value": 1]), ("", ["value": 1]), ("?name=/a/b", [:]), ("?name=/a/b", ["value": .null]),
      ("?name=/a/b", ["value": 1, "type": ""]),
    ] as [(String, Value)])
  func refused(query: String, body: Value) async throws {
    try await TestDirector.with { client, _ in
      let answer = try await send(client, .put, "/variables/value\(query)", body)
      #expect(answer.status == 400, "\(answer.value)")
      let all = try await send(client, .get, "/variables")
      #expect(all.value == [])
    }
  }

  @Test("nobody sees variables without a user; a deployment that is not there has none")
  func closed() async throws {
    try await TestDirector.with { client, _ in
      for path in ["/variables", "/variables/value?name=/a/b"] {
        try await client.execute(uri: path, method: .get) { #expect($0.status == .unauthorized) }
      }
      #expect(try await send(client, .get, "/deployments/none/variables").status == 404)
    }
  }
}
