import Certificates
import Files
import Formats
import Surroundings
import TestSupport
import Testing

@Suite("Variables: options of certificates")
struct CertificateOptionsTests {
  private let maker = SecretMaker(surroundings: .system)

  private func wrong(_ options: Value, by authority: Value? = nil) -> String? {
    message { _ = try maker.make("tls", type: "certificate", options: options, authority: authority) }
  }

  @Test(
    "name the authority, unless the certificate signs itself",
    arguments: [
      ("certificate", ["ca": "root"], "root"),
      ("certificate", ["ca": "/bosh/dep/root", "is_ca": true], "/bosh/dep/root"),
      ("certificate", ["is_ca": true], nil), ("certificate", ["self_sign": true, "ca": "root"], nil),
      ("certificate", ["self_sign": false, "ca": "root"], "root"), ("certificate", ["ca": ""], nil),
      ("certificate", ["ca": 5], nil), ("certificate", .null, nil), ("certificate", "x", nil),
      ("rsa", ["ca": "root"], nil),
    ] as [(String, Value, String?)])
  func authority(type: String, options: Value, expected: String?) {
    #expect(SecretMaker.authority(type: type, options: options) == expected)
  }

  @Test(
    "are refused with the option, what was expected, and what was found",
    arguments: [
      (
        ["common_name": "a"],
        "ca: missing; expected the name of the variable that holds the authority, or is_ca or self_sign: true"
      ),
      (
        ["common_name": "a", "ca": "root", "self_sign": true],
        "self_sign: expected false where ca is given ('root'), found true; leave one of them out"
      ),
      (
        ["common_name": "a", "ca": "root"],
        "ca: expected a variable with a value, found none for 'root'; define it with type certificate and is_ca"
      ),
      (
        ["is_ca": true],
        "common_name: missing; expected it or another part of the subject's name"
          + " (country, state, locality, organization, organization_unit)"
      ),
      (["is_ca": "true", "common_name": "a"], "is_ca: expected true or false, found a string"),
      (["is_ca": true, "common_name": 5], "common_name: expected a string, found an integer"),
      (["is_ca": true, "common_name": ["a"]], "common_name: expected a string, found an array"),
      (
        ["is_ca": true, "common_name": .string(String(repeating: "a", count: 65))],
        "common_name: expected at most 64 characters, found 65"
      ),
      (
        ["is_ca": true, "organization": .string(String(repeating: "a", count: 65))],
        "organization: expected at most 64 characters, found 65"
      ),
      (["is_ca": true, "country": "USA"], #"country: expected two letters, found "USA""#),
      (["is_ca": true, "country": "ö"], #"country: expected two letters, found "ö""#),
      (["is_ca": true, "common_name": "a", "duration": 0], "duration: expected 1 to 36500 days, found 0"),
      (["is_ca": true, "common_name": "a", "duration": "1y"], "duration: expected an integer, found a string"),
      (["is_ca": true, "common_name": "a", "key_length": 512], "key_length: expected 2048, 3072 or 4096, found 512"),
      (["ca": 5, "common_name": "a"], "ca: expected a string, found an integer"),
      (
        ["is_ca": true, "common_name": "a", "alternative_names": "b"],
        "alternative_names: expected an array, found a string"
      ),
      (
        ["is_ca": true, "common_name": "a", "alternative_names": ["ok", "b c"]],
        #"alternative_names[1]: expected an IP address or a DNS name, which may begin with '*.', found "b c""#
      ),
      (
        ["is_ca": true, "common_name": "a", "alternative_names": [["b"]]],
        "alternative_names[0]: expected a string, found an array"
      ),
      (
        ["is_ca": true, "common_name": "a", "key_usage": ["digital_signatur"]],
        "key_usage[0]: expected one of crl_sign, data_encipherment, decipher_only, digital_signature, encipher_only,"
          + " key_agreement, key_cert_sign, key_encipherment, non_repudiation, found 'digital_signatur';"
          + " did you mean 'digital_signature'?"
      ),
      (
        ["is_ca": true, "common_name": "a", "extended_key_usage": ["server_auth", "serverAuth"]],
        "extended_key_usage[1]: expected one of client_auth, code_signing, email_protection, server_auth, timestamping,"
          + " found 'serverAuth'; did you mean 'server_auth'?"
      ),
    ] as [(Value, String)])
  func refused(options: Value, expected: String) {
    #expect(wrong(options) == "variable 'tls': options.\(expected)")
  }

  @Test("take names as DNS has them, and no others")
  func names() {
    for name in ["*.a.b", "a_b.c", "a", "*.b", "xn--a.b", "::1", "10.0.0.1"] {
      #expect(
        wrong(["common_name": "a", "alternative_names": [.string(name)]])?.contains("options.ca: missing") == true)
    }
    let long = Array(repeating: String(repeating: "a", count: 50), count: 6).joined(separator: ".")
    for name in ["", "*", "a.*", "a..b", ".a", "a.", "*a.b", "a/b", "http://a", "ä.b", "10.0.0.0/8", long] {
      let found = wrong(["common_name": "a", "alternative_names": [.string(name)]])
      #expect(found?.contains("options.alternative_names[0]: expected an IP address or a DNS name") == true, "\(name)")
    }
  }

  @Test("name an authority that can sign")
  func authorities() throws {
    func make(_ options: Value, _ authority: Value? = nil) throws -> Value {
      try maker.make("a", type: "certificate", options: options, authority: authority)
    }
    let root = try make(["is_ca": true, "common_name": "root"])
    let other = try make(["is_ca": true, "common_name": "other"])
    let leaf = try make(["ca": "root", "common_name": "leaf"], root)
    var surroundings = Surroundings.system
    surroundings.now = { Timestamp(seconds: 1_600_000_000) }
    let old = try SecretMaker(surroundings: surroundings).make(
      "a", type: "certificate", options: ["is_ca": true, "common_name": "old", "duration": 30], authority: nil)
    let mixed: Value = ["certificate": root["certificate"] ?? .null, "private_key": other["private_key"] ?? .null]
    let cases: [(Value, String)] = [
      ("x", "expected an object, found a string"), ([:], "certificate: missing; expected a string"),
      (["certificate": root["certificate"] ?? .null], "private_key: missing; expected a string"),
      (["certificate": "x", "private_key": "y"], "it holds no PEM block 'CERTIFICATE'"),
      (["certificate": root["certificate"] ?? .null, "private_key": "y"], "it holds no PEM block 'PRIVATE KEY'"),
      (mixed, "the key belongs to another certificate"),
      (leaf, "the certificate is not one of an authority (CA:FALSE)"),
      (old, "its certificate ended at 2020-10-13T12:26:40Z; make it again"),
    ]
    for (authority, reason) in cases {
      let found = wrong(["ca": "root", "common_name": "b"], by: authority)
      #expect(found?.hasSuffix(reason) == true, "\(found ?? "")")
      #expect(
        found?.hasPrefix(
          "variable 'tls': options.ca: expected an authority that can sign, found the variable 'root': ") == true)
    }
  }

  @Test("cannot have an authority signed by one that may sign no others")
  func pathLength() async throws {
    try await withTemporaryFolder { folder in
      let constraints = "-addext basicConstraints=critical,CA:TRUE,pathlen:0"
      try expect(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -config /dev/null"
          + " -subj /CN=theirs \(constraints)", in: folder)
      let authority: Value = [
        "certificate": Value(try Files.text("\(folder)/c")), "private_key": Value(try Files.text("\(folder)/k")),
      ]
      let found = wrong(["ca": "theirs", "is_ca": true, "common_name": "b"], by: authority)
      #expect(found?.hasSuffix("it may not sign other authorities (path length 0)") == true, "\(found ?? "")")
      _ = try maker.make(
        "a", type: "certificate", options: ["ca": "theirs", "common_name": "b"], authority: authority)
    }
  }
}
