import AsyncHTTPClient
import Formats
import NIOCore
import NIOHTTP1

extension DirectorClient {
  /// Fetches something large, handing it over as it comes.
  ///
  /// - Returns: how many bytes there were.
  func download(_ path: String, _ each: ([UInt8]) throws -> Void) async throws -> Int64 {
    var request = HTTPClientRequest(url: environment.url + path)
    request.headers.add(name: "Authorization", value: environment.authorization)
    do {
      let response = try await http.execute(request, timeout: .hours(24))
      guard response.status == .ok else {
        let bytes = Array(buffer: try await response.body.collect(upTo: 1 << 20))
        let answer = Answer(status: Int(response.status.code), headers: response.headers, bytes: bytes)
        throw refusal(answer, "GET \(path)")
      }
      var count: Int64 = 0
      for try await buffer in response.body {
        count += Int64(buffer.readableBytes)
        try each(Array(buffer: buffer))
      }
      return count
    } catch  where !(error is DroverError || error is CancellationError) {
      throw unreachable("GET \(path)", error)
    }
  }
}
