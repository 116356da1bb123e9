import Certificates
import Formats
import HTTPService
import TestSupport
import Testing

@Suite struct HTTPServiceTests {
  private static let echo: HTTPService.Handler = { request, body in
    do {
      let bytes = try await body.collect(limit: 8 << 20)
      return HTTPReply(201, Array("\(request.method) \(request.path) ".utf8) + bytes).with("X-One", request.target)
    } catch {
      return .text(413, "\(error)")
    }
  }

  @Test("answers with status, fields and bytes, also to a long body, and refuses one that is too long")
  func answers() async throws {
    try await withService(Self.echo) { port in
      let plain = try await TestHTTP.send("GET", "http://127.0.0.1:\(port)/a/b?c=d")
      #expect(plain.status == 201 && plain.text == "GET /a/b " && plain.header("X-One") == "/a/b?c=d")
      let long = [UInt8](repeating: 7, count: 5 << 20)
      let answer = try await TestHTTP.send("PUT", "http://127.0.0.1:\(port)/x", body: long)
      #expect(answer.bytes == Array("PUT /x ".utf8) + long)
      let tooLong = try await TestHTTP.send(
        "PUT", "http://127.0.0.1:\(port)/x", body: [UInt8](repeating: 7, count: 9 << 20))
      #expect(tooLong.status == 413)
    }
  }

  @Test("sends a file, and can leave a body unread")
  func files() async throws {
    try await withTemporaryFolder { folder in
      let text = String(repeating: "0123456789", count: 100_000)
      try writeTestFile("\(folder)/file", text)
      try await withService { _, _ in
        (try? await HTTPReply.file("\(folder)/file")) ?? HTTPReply(404)
      } _: { port in
        for _ in 0..<2 {
          let answer = try await TestHTTP.send("POST", "http://127.0.0.1:\(port)/", body: [1, 2, 3])
          #expect(answer.status == 200 && answer.text == text)
        }
      }
    }
  }

  @Test("speaks TLS with the certificate it was given, and refuses a key that is none")
  func tls() async throws {
    try await withTemporaryFolder { folder in
      let authority = CertificateAuthority(directory: "\(folder)/ca")
      let identity = try await authority.issue(.directorAPI(dnsNames: [], addresses: ["127.0.0.1"]))
      let tls = HTTPService.TLS(certificatePEM: identity.certificatePEM, key: identity.key)
      try await withService(tls: tls, Self.echo) { port in
        let answer = try await TestHTTP.send("GET", "https://127.0.0.1:\(port)/", caPEM: identity.caPEM)
        #expect(answer.text == "GET / ")
        await #expect(throws: (any Error).self) { try await TestHTTP.send("GET", "http://127.0.0.1:\(port)/") }
      }
      #expect(throws: DroverError.self) {
        try HTTPService(
          .init(
            address: "127.0.0.1", port: 0, tls: .init(certificatePEM: identity.certificatePEM, key: Secret("none"))))
      }
    }
  }

  @Test("says when it cannot listen")
  func taken() async throws {
    try await withService(Self.echo) { port in
      let error = await #expect(throws: DroverError.self) {
        try await HTTPService(.init(address: "127.0.0.1", port: port)).run(Self.echo)
      }
      #expect(error?.code == .unavailable && error?.message == "listening on 127.0.0.1:\(port)")
    }
  }
}

@Suite struct EndpointURLTests {
  @Test(
    "reads where a service is, and who may use it",
    arguments: [
      ("http://localhost", "http://localhost", nil, nil), ("HTTPS://h:1/a/b/", "https://h:1/a/b", nil, nil),
      ("https://user:p%40ss@0.0.0.0:6868", "https://0.0.0.0:6868", "user", "p@ss"),
      ("http://a:b:c@[::1]:80/x", "http://[::1]:80/x", "a", "b:c"), ("http://only@h", "http://h", "only", ""),
    ] as [(String, String, String?, String?)])
  func reads(text: String, shown: String, user: String?, password: String?) throws {
    let url = try EndpointURL(text)
    #expect(url.description == shown)
    #expect(url.credentials?.user == user && url.credentials?.password.reveal() == password)
  }

  @Test(
    "refuses what is no such URL, without showing the password",
    arguments: ["", "nats://h", "http://", "http://u:geheim@h:0", "http://u:geheim@h:x", "http://u:%geheim@h", "h:80"])
  func refuses(text: String) throws {
    let error = try #require(throws: DroverError.self) { try EndpointURL(text) }
    #expect(error.code == .invalid && !error.description.contains("geheim"))
  }
}

@Suite struct BasicCredentialsTests {
  @Test("lets in who says user and password, and nobody else")
  func match() async throws {
    let credentials = BasicCredentials(user: "user", password: Secret("pass:word"))
    #expect(credentials.header == "Basic dXNlcjpwYXNzOndvcmQ=")
    try await withService { request, _ in
      HTTPReply(credentials.match(request) ? 200 : 401)
    } _: { (port: Int) async throws -> Void in
      func status(_ header: String?) async throws -> Int {
        let headers = header.map { ["Authorization": $0] } ?? [:]
        return try await TestHTTP.send("GET", "http://127.0.0.1:\(port)/", headers: headers).status
      }
      #expect(try await status(credentials.header) == 200)
      #expect(try await status("basic dXNlcjpwYXNzOndvcmQ=") == 200)
      for header in [nil, "", "Basic", "Basic ?", "Bearer dXNlcjpwYXNzOndvcmQ=", "Basic dXNlcjpwYXNzOndvcmQx"] {
        #expect(try await status(header) == 401)
      }
    }
  }
}
