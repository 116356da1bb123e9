import Testing

@testable import Director

@Suite struct WorkLeftoversTests {
  @Test("what a killed server was making goes; the upload of a task that goes on stays")
  func leftovers() {
    let names = [
      "upload-7.tgz", "upload-7.tgz.scratch", "upload-8.tgz", "upload-x.tgz", "upload-", "rendered-7.tgz", "job-7.tgz",
      "logs-7", "logs-7.tgz",
    ]
    #expect(
      WorkLeftovers.among(names, unfinished: [7])
        == ["upload-8.tgz", "upload-x.tgz", "upload-", "rendered-7.tgz", "job-7.tgz", "logs-7", "logs-7.tgz"])
    #expect(WorkLeftovers.among(names, unfinished: []) == names)
  }
}
