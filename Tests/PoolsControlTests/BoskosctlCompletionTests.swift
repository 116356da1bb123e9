import Processes
import Testing

@testable import PoolsControl

@Suite struct BoskosctlCompletionTests {
  @Test(
    "bash completes commands, flags and shells",
    arguments: [
      (["boskosctl", ""], "acquire completion heartbeat help metrics release"),
      (["boskosctl", "he"], "heartbeat help"), (["boskosctl", "acquire", "--t"], "--target-state --timeout --type"),
      (["boskosctl", "--server-url", "http://h", "metrics", "--t"], "--type"),
      (["boskosctl", "--u"], "--username"), (["boskosctl", "completion", "z"], "zsh"),
      (["boskosctl", "release", "x"], ""),
    ])
  func bash(_ words: [String], _ expected: String) async throws {
    let script = BoskosctlCompletion.answer(["bash"]).text
    let line = words.map { "'\($0)'" }.joined(separator: " ")
    let text = try await Command(
      "bash", "-c",
      "\(script)\nCOMP_WORDS=(\(line)); COMP_CWORD=\(words.count - 1); _boskosctl; echo \"${COMPREPLY[@]}\""
    ).run().text
    #expect(text == expected + "\n")
  }

  @Test("there are scripts for four shells, and help; others are refused")
  func others() {
    for shell in ["bash", "fish", "powershell", "zsh"] {
      let (text, isGood) = BoskosctlCompletion.answer([shell])
      #expect(isGood && text.hasPrefix("#") && text.contains("--target-state".dropFirst(2)))
    }
    #expect(BoskosctlCompletion.answer([]).text == BoskosctlCompletion.answer(["--help"]).text)
    #expect(
      BoskosctlCompletion.answer(["ksh"]) == (
        #"there is no completion for "ksh": one of bash, fish, powershell, zsh"#, false
      ))
    #expect(!BoskosctlCompletion.answer(["bash", "x"]).isGood)
  }
}
