import Formats
import Testing

@testable import Processes

@Suite struct AccountsTests {
  private static let passwd = "root:x:0:0:root:/root:/bin/bash\nbroken:x\nvcap:x:1000:1001:,,,:/home/vcap:/bin/bash\n"

  @Test("users and groups are read from their files")
  func find() throws {
    #expect(Accounts.find(user: "vcap", in: Self.passwd) == .init(id: 1000, group: 1001, home: "/home/vcap"))
    for name in ["broken", "vca", "vcap:x", "nobody", ""] {
      #expect(Accounts.find(user: name, in: Self.passwd) == nil, "\(name)")
    }
    #expect(Accounts.find(group: "vcap", in: "root:x:0:\nvcap:x:1001:a,b\n") == 1001)
    #expect(Accounts.find(group: "admin", in: "root:x:0:\n") == nil)
    #expect(try Accounts.find(user: "root")?.id == 0)
  }

  @Test("names and numbers are both taken, and what is not there is named")
  func numbers() throws {
    #expect(try Accounts.user("17") == 17 && Accounts.group("18") == 18)
    #expect(try Accounts.user("root") == 0 && Accounts.group("root") == 0)
    let error = try #require(throws: DroverError.self) { try Accounts.user("nobody-here") }
    #expect(error.message == "there is no user 'nobody-here' in /etc/passwd")
  }
}
