import Formats
import Templates
import Testing

@Suite("RubyRenderer", .enabled(if: canSandbox, "a sandbox needs root"))
struct RubyRendererTests {
  @Test("a template becomes a file")
  func renders() async throws {
    try await withRenderer { renderer in
      let text = try await renderer.text(job("port <%= p('port') %>\n", properties: ["port": 6379]))
      #expect(text == "port 6379\n")
    }
  }
}
