import Templates
import Testing

@Suite struct FixedRendererTests {
  @Test("a template without Ruby is its own result")
  func plain() async throws {
    #expect(try await FixedRenderer().text(job("a < b % c\n")) == "a < b % c\n")
  }

  @Test("a template with Ruby is refused, with its line")
  func ruby() async {
    let failure = await #expect(throws: TemplateFailure.self) { try await FixedRenderer().text(job("a\n<%= 1 %>")) }
    #expect(
      failure?.jobs.first?.errors
        == [TemplateError(source: "t.erb", line: 2, message: "this renderer has no Ruby; remove the tag")])
  }
}
