import Glibc
import Testing

@testable import Templates

@Suite struct RubyProgramTests {
  @Test("Ruby finds nothing to warn about in the program of a worker")
  func warnings() throws {
    let ruby = try #require(popen("ruby -wc - > /dev/null 2>&1", "w"))
    fputs(RubyProgram.text, ruby)
    #expect(pclose(ruby) == 0)
    // A warning does not change the status, so the lines that Ruby writes are counted too.
    let counter = try #require(popen("test $(ruby -wc - 2>&1 | wc -l) -eq 1", "w"))
    fputs(RubyProgram.text, counter)
    #expect(pclose(counter) == 0)
  }
}
