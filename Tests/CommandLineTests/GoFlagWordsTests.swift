import Testing

@testable import CommandLine

@Suite struct GoFlagWordsTests {
  @Test(
    "services of pools take flags with one dash, and other commands what they took before",
    arguments: [
      ("pools reaper -boskos-url=u -expire 30m", "pools reaper --boskos-url=u --expire 30m"),
      (
        "pools janitor --resource-type a -pool-size=3 -- -x --y",
        "pools janitor --resource-type a --pool-size=3 -- -x --y"
      ),
      ("pools cleaner -h", "pools cleaner -h"), ("pools metrics", "pools metrics"),
      ("pools mason -config=/c -1 - --", "pools mason --config=/c -1 - --"),
      ("pools cleaner -use-v2-implementation=true -in_memory=f", "pools cleaner --use-v2-implementation"),
      ("pools cleaner -in_memory=x -namespace=true", "pools cleaner --in_memory=x --namespace=true"),
      ("pools watch -type x", "pools watch -type x"), ("lease -expire", "lease -expire"),
      ("vms -dep x -ab", "vms -dep x -ab"),
    ])
  func words(_ written: String, _ expected: String) {
    #expect(GoFlagWords.doubled(written.split(separator: " ").map(String.init)).joined(separator: " ") == expected)
  }
}
