import Certificates
import Formats
import Surroundings
import Synchronization
import TestSupport
import Testing

@Suite("Variables: passwords and users")
struct PasswordVariableTests {
  private let maker = SecretMaker(surroundings: .system)

  private func password(_ options: Value) throws -> String {
    try #require(maker.make("secret", type: "password", options: options, authority: nil).string)
  }

  @Test(
    "has the length and the kinds of letters that the options say, one of each kind at least",
    arguments: [
      (.null, 30, "Aa0"), ([:], 30, "Aa0"), (["length": 8], 8, "Aa0"), (["length": 1000], 1000, "Aa0"),
      (["exclude_upper": true], 30, "a0"), (["exclude_lower": true, "length": 12], 12, "A0"),
      (["exclude_number": true], 30, "Aa"), (["include_special": true, "length": 8], 8, "Aa0#"),
      (["exclude_upper": true, "exclude_lower": true], 30, "0"),
      (["exclude_upper": true, "exclude_lower": true, "exclude_number": true, "include_special": true], 30, "#"),
      (["exclude_upper": false, "include_special": false, "unknown": 5], 30, "Aa0"),
    ] as [(Value, Int, String)])
  func kinds(options: Value, length: Int, kinds: String) throws {
    for _ in 0..<50 {
      let password = try password(options)
      #expect(password.count == length)
      #expect(Set(password.map(Self.kind)) == Set(kinds), "\(password)")
    }
  }

  private static func kind(_ letter: Character) -> Character {
    switch letter {
    case "A"..."Z": "A"
    case "a"..."z": "a"
    case "0"..."9": "0"
    default: "!#$%&()*,-./:;<=>?@[\\]^_`{|}~".contains(letter) ? "#" : "?"
    }
  }

  @Test("every letter is as likely as any other")
  func distribution() throws {
    let random = Mutex(SeededRandom(seed: 7))
    var surroundings = Surroundings.system
    surroundings.randomBytes = { count in
      (0..<count).map { _ in random.withLock { UInt8(truncatingIfNeeded: $0.next() >> 32) } }
    }
    let maker = SecretMaker(surroundings: surroundings)
    var counts: [Character: Int] = [:]
    for _ in 0..<62 {
      let password = try maker.make("p", type: "password", options: ["length": 1000], authority: nil)
      for letter in try #require(password.string) { counts[letter, default: 0] += 1 }
    }
    #expect(counts.count == 62)
    // A thousand of each are expected, with a deviation of 31.
    #expect(counts.values.allSatisfy { (850...1150).contains($0) }, "\(counts)")
    // 61 degrees of freedom: more than 120 would happen once in a hundred thousand times.
    #expect(counts.values.map { Double(($0 - 1000) * ($0 - 1000)) / 1000 }.reduce(0, +) < 120)
  }

  @Test("no two passwords are the same")
  func different() throws {
    #expect(try Set((0..<200).map { _ in try password(["length": 8]) }).count == 200)
  }

  @Test("a user has a name, a password, and its hash, as openssl makes it")
  func user() async throws {
    try await withTemporaryFolder { folder in
      let named = try maker.make(
        "admin", type: "user", options: ["username": "root", "length": 12, "include_special": false], authority: nil)
      #expect(try text(named, "username") == "root")
      #expect(try text(named, "password").count == 12)
      let unnamed = try maker.make("admin", type: "user", options: .null, authority: nil)
      #expect(Set(unnamed.object?.keys ?? []) == ["username", "password", "password_hash"])
      let name = try text(unnamed, "username")
      #expect(name.count == 20 && name.allSatisfy { $0.isASCII && $0.isLetter })
      for user in [named, unnamed] {
        let hash = try text(user, "password_hash")
        let parts = hash.split(separator: "$")
        #expect(parts.count == 3 && parts[0] == "6" && parts[1].count == 16)
        let theirs = try expect("openssl passwd -6 -salt \(parts[1]) \(text(user, "password"))", in: folder)
        #expect(theirs == hash + "\n")
      }
    }
  }

  @Test(
    "says which option is wrong, what was expected, and what was found",
    arguments: [
      ("password", ["length": 7], "options.length: expected 8 to 1000, found 7"),
      ("password", ["length": 1001], "options.length: expected 8 to 1000, found 1001"),
      ("password", ["length": "20"], "options.length: expected an integer, found a string"),
      ("user", ["exclude_upper": "yes"], "options.exclude_upper: expected true or false, found a string"),
      ("user", ["username": 5], "options.username: expected a string, found an integer"),
      ("user", ["username": ""], "options.username: expected a name, found an empty string"),
      (
        "password", ["exclude_upper": true, "exclude_lower": true, "exclude_number": true],
        "options.include_special: expected true where upper, lower and number are excluded,"
          + " found nothing to choose from"
      ),
      ("password", "x", "options: expected an object, found a string"),
      (
        "pasword", [:],
        "type: expected one of certificate, password, rsa, ssh, user, found 'pasword'; did you mean 'password'?"
      ),
    ] as [(String, Value, String)])
  func wrong(type: String, options: Value, expected: String) {
    let found = message { _ = try maker.make("secret", type: type, options: options, authority: nil) }
    #expect(found == "variable 'secret': \(expected)")
  }
}
