import Certificates
import Files
import Formats
import Surroundings
import TestSupport
import Testing

@Suite("Variables: RSA and SSH keys")
struct KeyVariableTests {
  private let maker = SecretMaker(surroundings: .system)

  @Test("openssl accepts an RSA key, private and public", arguments: [nil, 2048, 3072, 4096])
  func rsa(bits: Int?) async throws {
    try await withTemporaryFolder { folder in
      let options: Value = bits.map { ["key_length": .int($0)] } ?? .null
      let key = try maker.make("jwt", type: "rsa", options: options, authority: nil)
      #expect(Set(key.object?.keys ?? []) == ["private_key", "public_key"])
      try Files.replace("\(folder)/key", with: text(key, "private_key"), mode: 0o600)
      try Files.replace("\(folder)/public", with: text(key, "public_key"))
      #expect(try text(key, "private_key").hasPrefix("-----BEGIN RSA PRIVATE KEY-----\n"))
      #expect(try expect("openssl rsa -in key -check -noout", in: folder).contains("RSA key ok"))
      try expect("openssl rsa -in key -pubout -out theirs && cmp theirs public", in: folder)
      let text = try expect("openssl rsa -in key -text -noout", in: folder)
      #expect(text.contains("(\(bits ?? 2048) bit"))
    }
  }

  @Test("OpenSSH accepts a key, and sees the same public key and fingerprint", arguments: ["", "vcap@drover: a key"])
  func ssh(comment: String) async throws {
    try await withTemporaryFolder { folder in
      let options: Value = comment.isEmpty ? [:] : ["ssh_comment": .string(comment), "key_length": 3072]
      let key = try maker.make("jumpbox", type: "ssh", options: options, authority: nil)
      #expect(Set(key.object?.keys ?? []) == ["private_key", "public_key", "public_key_fingerprint"])
      let line = try text(key, "public_key")
      try Files.replace("\(folder)/id", with: text(key, "private_key"), mode: 0o600)
      try Files.replace("\(folder)/line.pub", with: line + "\n")
      let theirs = try expect("ssh-keygen -y -f id", in: folder)
      #expect(theirs.dropLast() + (comment.isEmpty ? "" : " \(comment)") == line)
      let seen = try expect("ssh-keygen -l -f line.pub", in: folder)
      let bits = comment.isEmpty ? 2048 : 3072
      let name = comment.isEmpty ? "no comment" : comment
      #expect(try seen == "\(bits) SHA256:\(text(key, "public_key_fingerprint")) \(name) (RSA)\n")
    }
  }

  @Test(
    "says which option is wrong",
    arguments: [
      ("rsa", ["key_length": 1024], "options.key_length: expected 2048, 3072 or 4096, found 1024"),
      ("ssh", ["key_length": "2048"], "options.key_length: expected an integer, found a string"),
      ("ssh", ["ssh_comment": true], "options.ssh_comment: expected a string, found a boolean"),
      ("ssh", ["ssh_comment": "a\nb"], #"options.ssh_comment: expected a single line, found "a\nb""#),
    ] as [(String, Value, String)])
  func wrong(type: String, options: Value, expected: String) {
    let found = message { _ = try maker.make("key", type: type, options: options, authority: nil) }
    #expect(found == "variable 'key': \(expected)")
  }
}
