import NIOCore
import NIOSSL
import Testing

@testable import CommandLine

@Suite struct DirectorClientTests {
  @Test("Who goes away while the server holds an answer back waits for the end of the connection for a moment only")
  func goesAway() throws {
    // NIOSSL's own is five seconds, in which a server that holds an answer back reads nothing.
    #expect(try DirectorClient.tls(trusting: nil).shutdownTimeout <= .milliseconds(100))
    #expect(TLSConfiguration.makeClientConfiguration().shutdownTimeout > .seconds(1))
  }
}
