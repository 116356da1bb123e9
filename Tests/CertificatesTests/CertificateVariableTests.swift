import Certificates
import Files
import Formats
import Surroundings
import TestSupport
import Testing

@Suite("Variables: certificates")
struct CertificateVariableTests {
  private let maker = SecretMaker(surroundings: .system)

  private func make(_ options: Value, by authority: Value? = nil) throws -> Value {
    try maker.make("web_tls", type: "certificate", options: options, authority: authority)
  }

  /// Puts the value's parts into files.
  private func write(_ value: Value, _ name: String, in folder: String) throws {
    #expect(value.object?.keys == ["ca", "certificate", "private_key"])
    try Files.replace("\(folder)/\(name).ca", with: text(value, "ca"))
    try Files.replace("\(folder)/\(name).crt", with: text(value, "certificate"))
    try Files.replace("\(folder)/\(name).key", with: text(value, "private_key"))
  }

  @Test("openssl accepts a chain: root, authority below it, server and client")
  func chain() async throws {
    try await withTemporaryFolder { folder in
      let root = try make(["is_ca": true, "common_name": "root", "key_length": 3072, "duration": 3650])
      let below = try make(["is_ca": true, "common_name": "below", "ca": "root"], by: root)
      let server = try make(
        [
          "ca": "below", "common_name": "web.example", "extended_key_usage": ["server_auth"],
          "alternative_names": ["web.example", "*.web.default.dep.bosh", "q-s0.db_1.bosh", "10.0.0.5", "fd00::5"],
        ], by: below)
      let client = try make(
        ["ca": "below", "common_name": "client", "extended_key_usage": ["client_auth"]], by: below)
      for (name, value) in [("root", root), ("below", below), ("server", server), ("client", client)] {
        try write(value, name, in: folder)
        try expect("openssl rsa -in \(name).key -check -noout", in: folder)
        try expect(
          "openssl rsa -in \(name).key -pubout >a; openssl x509 -in \(name).crt -pubkey -noout >b; cmp a b", in: folder)
      }
      try expect("cmp root.ca root.crt && cmp below.ca root.crt && cmp server.ca below.crt", in: folder)
      let verify = "openssl verify -x509_strict -CAfile root.crt -untrusted below.crt"
      for name in ["web.example", "a.web.default.dep.bosh", "q-s0.db_1.bosh"] {
        try expect("\(verify) -purpose sslserver -verify_hostname \(name) server.crt", in: folder)
      }
      for address in ["10.0.0.5", "fd00::5"] {
        try expect("\(verify) -purpose sslserver -verify_ip \(address) server.crt", in: folder)
      }
      try expect("\(verify) -purpose sslclient client.crt", in: folder)
      #expect(try !output("\(verify) -purpose sslclient server.crt", in: folder).isGood)
      #expect(try !output("\(verify) -verify_hostname other.example server.crt", in: folder).isGood)
      #expect(try !output("openssl verify -CAfile client.crt server.crt", in: folder).isGood)
    }
  }

  @Test("the certificate says what the options ask for")
  func contents() async throws {
    try await withTemporaryFolder { folder in
      let root = try make(["is_ca": true, "common_name": "root", "key_usage": ["digital_signature"]])
      let leaf = try make(
        [
          "ca": "root", "common_name": "leaf", "organization": "Söme Org", "organization_unit": "unit",
          "country": "AT", "state": "Tyrol", "locality": "Ibk", "duration": 100, "key_length": 4096,
          "alternative_names": ["leaf", "127.0.0.1"],
          "key_usage": ["digital_signature", "key_agreement", "non_repudiation"],
          "extended_key_usage": [
            "server_auth", "client_auth", "code_signing", "email_protection", "timestamping", "client_auth",
          ],
        ], by: root)
      let plain = try make(["ca": "root", "organization": "only"], by: root)
      for (name, value) in [("root", root), ("leaf", leaf), ("plain", plain)] { try write(value, name, in: folder) }
      func says(_ name: String, _ parts: [String]) throws {
        let text = try expect(
          "openssl x509 -in \(name).crt -text -noout -nameopt utf8,sep_comma_plus_space", in: folder)
        let words = text.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
        for part in parts { #expect(words.contains(part), "\(name): \(part): \(words)") }
      }
      try says(
        "root",
        [
          "Issuer: CN=root", "Subject: CN=root", "X509v3 Basic Constraints: critical CA:TRUE",
          "X509v3 Key Usage: critical Digital Signature, Certificate Sign, CRL Sign", "Public-Key: (2048 bit)",
        ])
      try says(
        "leaf",
        [
          "Issuer: CN=root", "Subject: C=AT, ST=Tyrol, L=Ibk, O=Söme Org, OU=unit, CN=leaf",
          "Basic Constraints: critical CA:FALSE", "Public-Key: (4096 bit)", "sha256WithRSAEncryption",
          "Key Usage: critical Digital Signature, Non Repudiation, Key Agreement X509v3",
          "TLS Web Server Authentication, TLS Web Client Authentication, Code Signing, E-mail Protection, Time Stamping"
            + " X509v3",
          "X509v3 Subject Alternative Name: DNS:leaf, IP Address:127.0.0.1",
        ])
      try says("plain", ["Subject: O=only", "Key Usage: critical Digital Signature, Key Encipherment X509v3"])
      let text = try expect("openssl x509 -in plain.crt -text -noout", in: folder)
      #expect(!text.contains("Extended Key Usage") && !text.contains("Alternative Name"))
      let own = "openssl x509 -noout -in leaf.crt -ext authorityKeyIdentifier | grep -o '[0-9A-F:]*$' | tail -1"
      let theirs = "openssl x509 -noout -in root.crt -ext subjectKeyIdentifier | grep -o '[0-9A-F:]*$' | tail -1"
      try expect("test \"$(\(own))\" = \"$(\(theirs))\"", in: folder)
    }
  }

  @Test("a certificate that signs itself is trusted as it is")
  func selfSigned() async throws {
    try await withTemporaryFolder { folder in
      let value = try make(["self_sign": true, "common_name": "alone", "alternative_names": ["alone"]])
      try write(value, "alone", in: folder)
      try expect("cmp alone.ca alone.crt", in: folder)
      try expect("openssl verify -CAfile alone.crt -verify_hostname alone alone.crt", in: folder)
    }
  }

  @Test(
    "an authority that openssl made can sign",
    arguments: [
      "genrsa -traditional -out k 2048", "genrsa -out k 3072", "ecparam -name prime256v1 -genkey -out k",
      "ecparam -name secp384r1 -genkey -out k", "ecparam -name secp521r1 -genkey -out k",
      "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k",
      "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out k",
      "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out k",
    ])
  func given(key: String) async throws {
    try await withTemporaryFolder { folder in
      try expect("openssl \(key) && openssl req -x509 -new -key k -out c -days 30 -subj '/C=US/CN=theirs'", in: folder)
      let authority: Value = [
        "certificate": .string(try #require(try Files.text("\(folder)/c"))),
        "private_key": .string(try #require(try Files.text("\(folder)/k"))),
      ]
      let leaf = try make(["ca": "theirs", "common_name": "leaf"], by: authority)
      try write(leaf, "leaf", in: folder)
      try expect("cmp leaf.ca c && openssl verify -CAfile leaf.ca leaf.crt", in: folder)
      // It would live for a year, but its authority doesn't.
      func end(_ name: String) throws -> String { try expect("openssl x509 -in \(name) -noout -enddate", in: folder) }
      #expect(try end("leaf.crt") == end("c"))
    }
  }

  @Test("a certificate ends after as many days as it says, 365 by default", arguments: [nil, 1, 36500])
  func duration(days: Int?) async throws {
    try await withTemporaryFolder { folder in
      var options: ValueObject = ["is_ca": true, "common_name": "a"]
      options["duration"] = days.map { .int($0) }
      var surroundings = Surroundings.system
      surroundings.now = { Timestamp(seconds: 1_790_000_000) }
      let value = try SecretMaker(surroundings: surroundings).make(
        "a", type: "certificate", options: .object(options), authority: nil)
      try write(value, "a", in: folder)
      let text = try expect("date -u -d \"$(openssl x509 -in a.crt -noout -enddate | cut -d= -f2)\" +%s", in: folder)
      #expect(text == "\(1_790_000_000 + (days ?? 365) * 86400)\n")
    }
  }

  @Test("two sides that show each other certificates of one authority can talk by TLS")
  func handshake() async throws {
    try await withTemporaryFolder { folder in
      let root = try make(["is_ca": true, "common_name": "root"])
      let both = try make(
        ["ca": "root", "common_name": "both", "alternative_names": ["127.0.0.1"], "key_length": 3072], by: root)
      try write(both, "both", in: folder)
      let own = "-cert both.crt -key both.key -CAfile both.ca -verify_return_error"
      let script = """
        openssl s_server -accept 127.0.0.1:0 -naccept 1 -www -Verify 1 \(own) >server.log 2>&1 &
        server=$!
        while ! grep -q ACCEPT server.log && kill -0 $server; do sleep 0.05; done
        port=$(sed -n 's/^ACCEPT .*://p' server.log)
        echo Q | timeout 120 openssl s_client -connect 127.0.0.1:$port -verify_ip 127.0.0.1 -brief \(own)
        code=$?
        kill $server 2>/dev/null
        wait $server
        exit $code
        """
      let text = try expect("( \(script) )", in: folder)
      #expect(text.contains("Verification: OK"), "\(text)")
    }
  }
}
