import Files
import Formats
import Glibc
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import CommandLine

@Suite("What commands print and write") struct OutputTests {
  @Test("a cell of several lines makes its row so high; line feeds at its end do not count")
  func tallCells() {
    let table = Table(
      "results", ["Instance", "Stdout", "Code"], [["a/1", "one\ntwo\n", "0"], ["b/1", "three\n", "7"]])
    #expect(
      table.text == """
        Instance  Stdout  Code
        a/1       one     0
                  two
        b/1       three   7

        2 results
        """)
    #expect(table.value[0]?["stdout"]?.string == "one\ntwo\n")
  }

  @Test("an archive that is fetched within the same second replaces no other")
  func archives() async throws {
    try await withTemporaryFolder { folder in
      for expected in ["logs.tgz", "logs-2.tgz", "logs-3.tgz"] {
        let file = try Logs.free("\(folder)/logs")
        #expect(file == "\(folder)/\(expected)")
        try writeTestFile(file, "")
      }
    }
  }

  @Test("a path is made absolute without dots in front")
  func absolutePaths() throws {
    let here = try #require(getcwd(nil, 0))
    defer { free(here) }
    let folder = String(cString: here)
    for (path, expected) in [
      ("/a/./b", "/a/./b"), (".", folder), ("./", folder), ("a", "\(folder)/a"), ("./a/b", "\(folder)/a/b"),
      (".//a", "\(folder)/a"), ("../a", "\(folder)/../a"), (".a", "\(folder)/.a"),
    ] {
      #expect(absolutePath(path) == expected)
    }
  }

  @Test("a certificate authority that is none is told as such")
  func authority() {
    let target = TargetEnvironment(url: "https://h:1", user: "u", password: Secret("p"), caPEM: "root:x:0:0")
    let error = #expect(throws: DroverError.self) { try DirectorClient(target) }
    #expect(error?.message.contains("--ca-cert") == true)
  }

  @Test("a server that is not there is told by its address; this machine's, by what starts it")
  func unreachable() async throws {
    try await withTemporaryFolder { folder in
      var target = TargetEnvironment(url: "https://h:1", user: "u", password: Secret("p"))
      func text(_ error: any Error) async throws -> String {
        let client = try DirectorClient(target)
        let message = client.unreachable("GET /info", error).message
        await client.close()
        return message
      }
      let refused = IOError(errnoCode: ECONNREFUSED, reason: "connect")
      let absent = try await text(refused)
      #expect(
        absent == "the server at https://h:1 cannot be reached; is it running? (GET /info: Connection refused)")
      let strange = try await text(NIOSSLError.handshakeFailed(.sslError([])))
      #expect(strange.contains("it does not speak TLS as expected"))
      let distrusted = try await text(NIOSSLExtraError.failedToValidateHostname)
      #expect(
        distrusted
          == "the server at https://h:1 is not trusted: its certificate is for other names; give its authority "
          + "by --ca-cert or DROVER_CA_CERT (certificates/ca.crt in the server's state directory)")
      target.localServer = LocalServer(state: folder)
      let local = try await text(refused)
      #expect(local == "the server in \(folder) is not running; 'drover up' starts it")
    }
  }
}
