import Formats
import Surroundings

/// What a password is made of: at least one letter of each kind, and each such password is as likely as any other.
struct PasswordRules {
  private let length: Int
  private let kinds: [String]

  private static let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  private static let lower = "abcdefghijklmnopqrstuvwxyz"
  private static let numbers = "0123456789"
  /// What ASCII has, but for quotes and `+`.
  private static let special = "!#$%&()*,-./:;<=>?@[\\]^_`{|}~"
  private static let lengths = 8...1000

  /// For names of users.
  static let username = PasswordRules(length: 20, kinds: [upper + lower])
  /// For what is hashed along with a password.
  static let salt = PasswordRules(length: 16, kinds: [upper + lower + numbers])

  private init(length: Int, kinds: [String]) {
    self.length = length
    self.kinds = kinds
  }

  /// As the options of a variable say.
  init(_ options: FieldReader) throws {
    length = try options.optionalInt("length") ?? 30
    guard Self.lengths.contains(length) else {
      let limits = "\(Self.lengths.lowerBound) to \(Self.lengths.upperBound)"
      throw options.error("length", "expected \(limits), found \(length)")
    }
    let excluded = [("exclude_upper", Self.upper), ("exclude_lower", Self.lower), ("exclude_number", Self.numbers)]
    kinds =
      try excluded.compactMap { name, letters in try options.optionalBool(name) == true ? nil : letters }
      + (options.optionalBool("include_special") == true ? [Self.special] : [])
    guard !kinds.isEmpty else {
      throw options.error(
        "include_special", "expected true where upper, lower and number are excluded, found nothing to choose from")
    }
  }

  func password(_ surroundings: Surroundings) -> String {
    let letters = Array(kinds.joined())
    var chance = Chance(surroundings: surroundings)
    while true {
      let password = String((0..<length).compactMap { _ in letters.randomElement(using: &chance) })
      if kinds.allSatisfy({ kind in password.contains { kind.contains($0) } }) { return password }
    }
  }
}

/// The randomness of the surroundings in the form that Swift chooses by, without favour.
private struct Chance: RandomNumberGenerator {
  let surroundings: Surroundings

  mutating func next() -> UInt64 { surroundings.randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
