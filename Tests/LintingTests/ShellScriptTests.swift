import Testing

@testable import Linting

@Suite struct ShellScriptTests {
  @Test(
    "Commands are found between quotes, comments, here-documents and continued lines",
    arguments: [
      ("a b # c\nd", ["a b", "d"]),
      ("a 'b c' \"d # $e\"", ["a b c d # $e"]),
      ("a \\\n  b; c && d || e | f &", ["a b", "c", "d", "e", "f"]),
      ("cat <<EOF >x\nrm -rf /\nEOF\na", ["cat", "a"]),
      ("if [[ $# -gt 0 && a > b ]]; then c; fi", ["[[ $# -gt 0 && a > b ]]", "c"]),
      ("X=1 Y=\"2 3\" a", ["a"]),
      ("a >>x 2>&1 </dev/null b", ["a b"]),
      ("x=$(a \"$(b)\" | c)", ["a $(b)", "b", "c"]),
      ("for i in $(seq 1 3); do a $i; done", ["seq 1 3", "a $i"]),
      ("case $1 in a|b) c ;; (d) e;; esac; f", ["c", "e", "f"]),
      ("f() { a; }\nfunction g { b; }\nf", ["a", "b", "f"]),
      ("(a; b) && ((i++)) || c", ["a", "b", "((i++))", "c"]),
      ("trap 'a; b' EXIT", ["trap a; b EXIT", "a", "b"]),
      ("echo \"unclosed", ["echo unclosed"]),
    ])
  func commands(_ text: String, _ expected: [String]) {
    let found = ShellScript(text).commands.map(\.text).filter { !$0.isEmpty }
    #expect(Set(found) == Set(expected))
  }

  @Test("What a control script runs for an action leaves out other actions and their functions")
  func actions() {
    let script = ShellScript(
      """
      set -e
      begin() { mkdir x; helper; }
      helper() { chown x; }
      end() { rm x; }
      case "$1" in
        start) begin ;;
        stop|halt) end ;;
      esac
      """)
    #expect(script.commands(for: "start").map(\.name) == ["set", "mkdir", "helper", "chown", "begin"])
    #expect(script.commands(for: "stop").map(\.name) == ["set", "rm", "end"])
    #expect(script.commands(for: "unknown").count == script.commands.count)
    #expect(script.isStrict)
  }

  @Test("Lines are those of the file, also below continued lines and substitutions")
  func lines() {
    let script = ShellScript("a \\\n b\nx=$(c\nd)\n\ne")
    let lines = Dictionary(script.commands.filter { !$0.words.isEmpty }.map { ($0.name, $0.line) }) { first, _ in first
    }
    #expect(lines == ["a": 1, "c": 3, "d": 4, "e": 6])
  }

  @Test("Variables are replaced where their value can be seen")
  func variables() {
    let script = ShellScript("run=/var/run\nreadonly pid=\"$run/web.pid\"\n")
    #expect(script.expanded("$pid") == "/var/run/web.pid")
    #expect(script.expanded("a${run}b$other-${x:-y}$") == "a/var/runb$other-y$")
  }

  @Test(
    "A loop is bounded when something counts, looks at a clock, or reads input",
    arguments: [
      ("for i in a; do b; done", true), ("while true; do a; done", false), ("while read -r x; do a; done", true),
      ("until a; do i=$((i+1)); [ $i -lt 9 ] || break; done", true), ("while kill -0 1; do sleep 1; done", false),
      ("while [ $SECONDS -lt 9 ]; do a; done", true), ("while (( i-- )); do a; done", true),
    ])
  func loops(_ text: String, _ isBounded: Bool) {
    #expect(ShellScript(text).loops.map(\.isBounded) == [isBounded])
  }

  @Test("ERB is masked line by line, and its tags have their lines")
  func erb() {
    let erb = ERBText("a <%= b %>\n<%- if c\nd -%>e<%# f %><%% g\n<%= open")
    #expect(erb.masked() == "a ERB\n\ne<% g\n<%= open")
    #expect(erb.tags.map(\.line) == [1, 2])
    #expect(erb.tags.map(\.kind) == [.output, .code])
  }

  @Test(
    "Properties are found in Ruby code",
    arguments: [
      ("p('a.b')", [["a.b"]]), ("p(\"a\", 1)", [["a"]]), ("p(['a', 'b'], 'c')", [["a", "b"]]), ("l.p('a')", []),
      ("map('a')", []), ("x = p('a') + p('b')", [["a"], ["b"]]), ("# p('a')", []), ("p 'a'", [["a"]]),
    ])
  func properties(_ code: String, _ expected: [[String]]) {
    #expect(PropertyChecks.calls("p", in: code).map(\.names) == expected)
  }
}
