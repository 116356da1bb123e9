import Formats
import Surroundings
import TestSupport
import Testing

@testable import Certificates

@Suite("SHA512Crypt")
struct SHA512CryptTests {
  @Test(
    "hashes as its specification says",
    arguments: [
      (
        "Hello world!", "saltstring", nil as Int?,
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
      ),
      (
        "Hello world!", "saltstringsaltstring", 10000,
        "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs"
          + "/y3RnOaw5v."
      ),
      (
        "This is just a test", "toolongsaltstring", 5000,
        "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxx"
          + "l8audkUEm0"
      ),
      (
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "anotherlongsaltstring", 1400,
        "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiD"
          + "wGqd8p4ur1"
      ),
      (
        "the minimum number is still observed", "roundstoolow", 10,
        "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBa"
          + "HHrsX."
      ),
    ])
  func specification(password: String, salt: String, rounds: Int?, expected: String) {
    #expect(SHA512Crypt.hash(password, salt: salt, rounds: rounds) == expected)
  }

  @Test("hashes passwords of every length as openssl does")
  func openssl() async throws {
    try await withTemporaryFolder { folder in
      for length in [1, 15, 16, 63, 64, 65, 127, 128, 200] {
        let password = String(repeating: "pässwort", count: 25).prefix(length)
        let theirs = try expect("openssl passwd -6 -salt s/alt.9 '\(password)'", in: folder)
        #expect(SHA512Crypt.hash(String(password), salt: "s/alt.9") + "\n" == theirs, "\(length)")
      }
    }
  }
}
