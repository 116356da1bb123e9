import Certificates
import Formats
import Glibc
import Surroundings
import Synchronization
import Testing

@Suite("CertificateAuthority")
struct CertificateAuthorityTests {
  @Test("is made once, with a key for its owner alone")
  func madeOnce() async throws {
    try await withDirectory { directory in
      let first = try await CertificateAuthority(directory: "\(directory)/a/b").certificatePEM()
      let second = try await CertificateAuthority(directory: "\(directory)/a/b").certificatePEM()
      #expect(first == second)
      #expect(mode("\(directory)/a/b/ca.key") == 0o600)
      #expect(mode("\(directory)/a/b/ca.crt") == 0o644)
    }
  }

  @Test("issues what openssl accepts", arguments: [KeyKind.p256, .rsa2048])
  func opensslAccepts(kind: KeyKind) async throws {
    try await withDirectory { directory in
      let authority = CertificateAuthority(directory: directory, keyKind: kind)
      let server = CertificateSubject(
        commonName: "director.example", dnsNames: ["director.example"], addresses: ["10.254.0.1", "fd00::1"],
        usages: [.server], keyKind: kind)
      _ = try await authority.identity(named: "api", server)
      _ = try await authority.identity(named: "agent", .agent("a-1"))
      let names = ["-verify_hostname director.example", "-verify_ip 10.254.0.1", "-verify_ip fd00::1"]
      for check in names.map({ "-purpose sslserver \($0) api.crt" }) + ["-purpose sslclient agent.crt"] {
        #expect(shell("cd \(directory) && openssl verify -x509_strict -CAfile ca.crt \(check)") == 0, "\(check)")
      }
      #expect(shell("cd \(directory) && openssl verify -CAfile ca.crt -purpose sslserver agent.crt 2>&-") != 0)
      #expect(shell("cd \(directory) && openssl verify -CAfile ca.crt -verify_ip 10.0.0.9 api.crt 2>&-") != 0)
      let subject = "C = USA, O = Cloud Foundry, CN = a-1.agent.bosh-internal"
      #expect(shell("cd \(directory) && openssl x509 -in agent.crt -noout -subject | grep -q '\(subject)$'") == 0)
    }
  }

  @Test("keeps an identity, and issues it again when it can no longer be used")
  func keptIdentities() async throws {
    try await withDirectory { directory in
      let now = Mutex(Timestamp(seconds: 1_790_000_000))
      var surroundings = Surroundings.system
      surroundings.now = { now.withLock { $0 } }
      let authority = CertificateAuthority(directory: directory, surroundings: surroundings)
      let subject = CertificateSubject.natsServer(addresses: ["10.254.0.1"])
      let first = try await authority.identity(named: "nats", subject)
      #expect(mode("\(directory)/nats.key") == 0o600)
      let again = try await CertificateAuthority(directory: directory, surroundings: surroundings)
        .identity(named: "nats", subject)
      #expect(again == first)

      let moved = try await authority.identity(named: "nats", .natsServer(addresses: ["10.254.0.2"]))
      #expect(moved != first)
      // A process that died between the key and the certificate leaves a pair that doesn't fit.
      #expect(shell("cp \(directory)/ca.key \(directory)/nats.key") == 0)
      let repaired = try await authority.identity(named: "nats", .natsServer(addresses: ["10.254.0.2"]))
      #expect(repaired.key != moved.key)
      #expect(repaired == (try await authority.identity(named: "nats", .natsServer(addresses: ["10.254.0.2"]))))

      now.withLock { $0 = $0 + .seconds(701 * 86400) }
      #expect(repaired != (try await authority.identity(named: "nats", .natsServer(addresses: ["10.254.0.2"]))))
    }
  }

  @Test("uses a key that was left without its certificate")
  func halfMade() async throws {
    try await withDirectory { directory in
      _ = try await CertificateAuthority(directory: directory).certificatePEM()
      #expect(shell("cd \(directory) && rm ca.crt && cp ca.key kept && touch ca.crt.new ca.key.new") == 0)
      _ = try await CertificateAuthority(directory: directory).certificatePEM()
      #expect(shell("cd \(directory) && cmp ca.key kept") == 0)
    }
  }

  @Test(
    "refuses to replace an authority that others trust", arguments: ["rm ca.key", "echo x > ca.crt", "echo > ca.key"])
  func damaged(damage: String) async throws {
    try await withDirectory { directory in
      _ = try await CertificateAuthority(directory: directory).certificatePEM()
      #expect(shell("cd \(directory) && \(damage)") == 0)
      let error = await #expect(throws: DroverError.self) {
        try await CertificateAuthority(directory: directory).certificatePEM()
      }
      #expect(error?.code == .corrupt)
      #expect(error?.message.contains("\(directory)/ca.crt") == true)
    }
  }

  @Test(
    "issues in the name of an authority that openssl made",
    arguments: ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256"])
  func givenAuthority(key: String) async throws {
    try await withDirectory { directory in
      let made = shell(
        "cd \(directory) && openssl req -x509 -newkey \(key) -nodes -keyout their.key -out their.crt -days 30"
          + " -subj /CN=theirs 2>&- && openssl x509 -in their.crt -text -out their.crt")
      #expect(made == 0)
      let authority = CertificateAuthority(
        certificate: "\(directory)/their.crt", key: "\(directory)/their.key", directory: "\(directory)/kept")
      _ = try await authority.identity(named: "agent", .agent("a-1"))
      let check = "openssl verify -CAfile their.crt -purpose sslclient kept/agent.crt"
      #expect(shell("cd \(directory) && \(check)") == 0)
      #expect(shell("test -e \(directory)/kept/ca.crt -o -e \(directory)/kept/ca.key") != 0)
    }
  }

  @Test(
    "refuses a given authority that is none, and makes none in its place",
    arguments: [
      ("rm their.crt", "there is no such file"), ("rm their.key", "its key"), ("echo > their.key", "PRIVATE KEY"),
      ("openssl ecparam -name prime256v1 -genkey -out their.key", "belongs to another certificate"),
      ("cp leaf.crt their.crt && cp leaf.key their.key", "not one of an authority"),
    ])
  func damagedGivenAuthority(damage: String, message: String) async throws {
    try await withDirectory { directory in
      let own = CertificateAuthority(directory: directory)
      _ = try await own.identity(named: "leaf", .director)
      #expect(shell("cd \(directory) && cp ca.crt their.crt && cp ca.key their.key && \(damage)") == 0)
      let authority = CertificateAuthority(
        certificate: "\(directory)/their.crt", key: "\(directory)/their.key", directory: "\(directory)/kept")
      let error = await #expect(throws: DroverError.self) { try await authority.issue(.director) }
      #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }
  }

  @Test("reports when each kept certificate ends")
  func expiries() async throws {
    try await withDirectory { directory in
      var surroundings = Surroundings.system
      surroundings.now = { Timestamp(seconds: 1_790_000_000) }
      let authority = CertificateAuthority(directory: directory, surroundings: surroundings)
      #expect(try await authority.expiries() == [])
      var subject = CertificateSubject.director
      subject.validity = .seconds(90 * 86400 + 5)
      _ = try await authority.identity(named: "director", subject)
      let expiries = try await authority.expiries()
      #expect(expiries.map(\.path) == ["\(directory)/ca.crt", "\(directory)/director.crt"])
      #expect(expiries.map(\.daysLeft) == [3650, 90])
      #expect(expiries.last?.expiry == Timestamp(seconds: 1_790_000_000 + 90 * 86400 + 5))
    }
  }

  @Test("refuses names that lead elsewhere or hide", arguments: ["", "../x", "a/b", "ca", ".hidden", "a b"])
  func badNames(name: String) async throws {
    try await withDirectory { directory in
      let authority = CertificateAuthority(directory: directory)
      let error = await #expect(throws: DroverError.self) { try await authority.identity(named: name, .director) }
      #expect(error?.code == .invalid)
    }
  }

  @Test("refuses an address that is none")
  func badAddress() async throws {
    try await withDirectory { directory in
      let authority = CertificateAuthority(directory: directory)
      let error = await #expect(throws: DroverError.self) {
        try await authority.issue(.natsServer(addresses: ["10.0.0.300"]))
      }
      #expect(error?.message.contains("10.0.0.300") == true)
    }
  }

  @Test("never shows a key in a description or a dump")
  func redacted() async throws {
    try await withDirectory { directory in
      let identity = try await CertificateAuthority(directory: directory).issue(.director)
      var dumped = ""
      dump(identity, to: &dumped)
      for text in ["\(identity)", String(reflecting: identity), dumped] {
        #expect(!text.contains("PRIVATE KEY"))
        #expect(text.contains("‹redacted›"))
      }
      #expect(identity.key.reveal().contains("PRIVATE KEY"))
    }
  }
}

private func withDirectory(_ body: (String) async throws -> Void) async throws {
  var template = Array("/tmp/drover-certificates-XXXXXX".utf8CString)
  let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } }
  let directory = try String(cString: #require(made))
  defer { shell("rm -rf \(directory)") }
  try await body(directory)
}

@discardableResult
private func shell(_ command: String) -> Int32 {
  let status = system("exec >/dev/null; \(command)")
  return status
}

private func mode(_ path: String) -> mode_t {
  var status = stat()
  guard stat(path, &status) == 0 else { return 0 }
  return status.st_mode & 0o7777
}
