import HTTPTypes
import Hummingbird
import Testing

@testable import PoolsAPI

@Suite struct PoolsFaceTests {
  @Test("the answer to HEAD has the headers of its body, and no body that the next answer would follow")
  func head() {
    let reply = PoolReply.error(405, "Method HEAD, /acquire only accepts POST.")
    let response = PoolsFace.response(reply, isHead: true)
    #expect(response.status.code == 405 && response.body.contentLength == 0)
    #expect(response.headers[.contentLength] == "41" && response.headers[.xContentTypeOptions] == "nosniff")
    #expect(PoolsFace.response(reply, isHead: false).body.contentLength == 41)
  }
}
