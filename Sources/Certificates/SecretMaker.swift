public import Formats
public import Surroundings
import X509
import _CryptoExtras

/// Makes values of variables (`reference/director.md B.7`), as CredHub and `bosh --vars-store` make them.
///
/// Where the two differ, it is as CredHub does it: a password has 30 letters and digits, a fingerprint is SHA-256, a
/// subject says no more than the options. Keys are as random as the machine is, also where the surroundings have a
/// randomness of their own. An RSA key takes a while to make, up to some seconds for 4096 bits: call it by `blocking`.
public struct SecretMaker: Sendable {
  private let surroundings: Surroundings

  public init(surroundings: Surroundings) { self.surroundings = surroundings }

  /// Types of which values can be made: certificate, password, rsa, ssh, user.
  public static let types = ["certificate", "password", "rsa", "ssh", "user"]

  /// The name of the variable that holds the authority which a certificate is to be signed by; nil when there is none
  /// (it signs itself).
  public static func authority(type: String, options: Value) -> String? {
    guard type == "certificate", options["self_sign"]?.bool != true else { return nil }
    return options["ca"]?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Makes a value: a string for a password, an object for all other types.
  ///
  /// - Parameters:
  ///   - name: As in the manifest, for errors: `variable 'NAME': options.X: expected …, found …`.
  ///   - options: As in the manifest, or null. Options that are not known are ignored, as CredHub does.
  ///   - authority: The value of the variable that ``authority(type:options:)`` names ({certificate, private_key, …}).
  /// - Throws: `DroverError` (`invalid`) for options that are wrong, and for an authority that cannot be used.
  public func make(_ name: String, type: String, options: Value, authority: Value?) throws -> Value {
    let options = try FieldReader(options.isNull ? [:] : options, at: "variable '\(name)': options")
    switch type {
    case "certificate": return try certificate(options, authority)
    case "password": return .string(try PasswordRules(options).password(surroundings))
    case "rsa": return try rsa(options)
    case "ssh": return try ssh(options)
    case "user": return try user(options)
    default:
      let expected = "expected one of \(Self.types.joined(separator: ", ")), found '\(type)'"
      throw DroverError(
        .invalid, "variable '\(name)': type: \(expected)\(NearNames.hint(type, among: Self.types))")
    }
  }

  private func user(_ options: FieldReader) throws -> Value {
    let given = try options.optionalString("username")
    if given?.isEmpty == true { throw options.error("username", "expected a name, found an empty string") }
    let password = try PasswordRules(options).password(surroundings)
    let salt = PasswordRules.salt.password(surroundings)
    return [
      "username": .string(given ?? PasswordRules.username.password(surroundings)), "password": .string(password),
      "password_hash": .string(SHA512Crypt.hash(password, salt: salt)),
    ]
  }

  private func rsa(_ options: FieldReader) throws -> Value {
    let (key, publicKey) = try rsaKey(options)
    return ["private_key": .string(try key.pem().reveal()), "public_key": .string(publicKey.pemRepresentation + "\n")]
  }

  /// The fingerprint is the SHA-256 that `ssh-keygen -l` shows, without `SHA256:`, as CredHub has it; with
  /// `bosh --vars-store` it is an MD5.
  private func ssh(_ options: FieldReader) throws -> Value {
    let comment = try options.optionalString("ssh_comment") ?? ""
    guard comment.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      throw options.error("ssh_comment", "expected a single line, found \(comment.debugDescription)")
    }
    let (key, publicKey) = try rsaKey(options)
    let text = SSHPublicKey(try publicKey.getKeyPrimitives())
    return [
      "private_key": .string(try key.pem().reveal()), "public_key": .string(text.line(comment: comment)),
      "public_key_fingerprint": .string(text.fingerprint),
    ]
  }

  private func rsaKey(_ options: FieldReader) throws -> (SigningKey, _RSA.Signing.PublicKey) {
    let key = try SigningKey(KeyKind.rsa(options))
    guard let publicKey = _RSA.Signing.PublicKey(key.key.publicKey) else {
      throw DroverError(.failed, "\(options.path): making an RSA key: it became another one")
    }
    return (key, publicKey)
  }

  private func certificate(_ options: FieldReader, _ authority: Value?) throws -> Value {
    let draft = try CertificateDraft(options)
    let issuer = try Issuer.named(in: options, draft, authority, now: surroundings.now())
    let key = try SigningKey(KeyKind.rsa(options))
    let text = try draft.signed(key, by: issuer, surroundings).pem()
    return [
      "ca": .string(issuer?.pem ?? text), "certificate": .string(text), "private_key": .string(try key.pem().reveal()),
    ]
  }
}

extension KeyKind {
  /// What the option `key_length` asks for.
  fileprivate static func rsa(_ options: FieldReader) throws -> KeyKind {
    switch try options.optionalInt("key_length") ?? 2048 {
    case 2048: return .rsa2048
    case 3072: return .rsa3072
    case 4096: return .rsa4096
    case let bits: throw options.error("key_length", "expected 2048, 3072 or 4096, found \(bits)")
    }
  }
}
