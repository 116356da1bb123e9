import Formats
import Manifests
import Testing

@Suite struct ManifestDiffTests {
  private func diff(_ old: String, _ new: String, redact: Bool = false) throws -> String {
    ManifestDiff.lines(from: try YAML.parse(old), to: try YAML.parse(new), redact: redact).map { line in
      (line.change == .added ? "+ " : line.change == .removed ? "- " : "  ") + line.text
    }.joined(separator: "\n")
  }

  @Test("equal documents have no lines, whatever the order of keys")
  func equal() throws {
    #expect(try diff("a: 1\nb: {c: 2, d: 3}", "b: {d: 3, c: 2}\na: 1") == "")
  }

  @Test("a change inside a named element shows where it is")
  func nested() throws {
    let old =
      "instance_groups: [{name: a, instances: 1, jobs: [{name: j, properties: {p: 1}}]}, {name: b, instances: 1}]"
    let new =
      "instance_groups: [{name: a, instances: 2, jobs: [{name: j, properties: {p: 2}}]}, {name: c, instances: 1}]"
    #expect(
      try diff(old, new) == """
          instance_groups:
          - name: a
        -   instances: 1
        +   instances: 2
            jobs:
            - name: j
              properties:
        -       p: 1
        +       p: 2
        - - name: b
        -   instances: 1
        + - name: c
        +   instances: 1
        """)
  }

  @Test("sections come in the CLI's order with a blank line between")
  func sections() throws {
    #expect(
      try diff("", "instance_groups: []\nname: x\nazs: [{name: z}]\ntags: {a: b}") == """
        + azs:
        + - name: z
        \("  ")
        + name: x
        \("  ")
        + instance_groups: []
        \("  ")
        + tags:
        +   a: b
        """)
  }

  @Test("values under properties and bosh and credentials are hidden, and that they differ is shown")
  func redaction() throws {
    let old = "a: {properties: {p: {q: 1}, l: [x]}, env: {bosh: {password: s}}, url: 'https://u:p@h/x'}"
    let new = "a: {properties: {p: {q: 2}, l: [y]}, env: {bosh: {password: t}}, url: 'https://u:q@h/x'}"
    let hidden = try diff(old, new, redact: true)
    #expect(hidden.contains("-       q: <redacted>\n+       q: <redacted>"))
    #expect(hidden.contains("-       password: <redacted>"))
    #expect(hidden.contains("+   url: \"https://<redacted>@h/x\""))
    #expect(!hidden.contains("u:p"))
    #expect(try diff(old, new).contains("+       q: 2"))
  }

  @Test(
    "lists without names show what came and went",
    arguments: [
      ("l: [1, 2]", "l: [2, 3]", "  l:\n- - 1\n+ - 3"), ("l: [1, 2]", "l: [2, 1]", "  l:\n- - 1\n- - 2\n+ - 2\n+ - 1"),
      ("l: [1]", "l: []", "- l:\n- - 1\n+ l: []"), ("l: 1", "l: {a: 1}", "- l: 1\n+ l:\n+   a: 1"),
      ("l: [{name: a}, {name: a}]", "l: [{name: a}]", "  l:\n- - name: a"),
    ])
  func lists(_ old: String, _ new: String, _ expected: String) throws { #expect(try diff(old, new) == expected) }

  @Test("the API's form is pairs of text and word")
  func value() throws {
    let lines = ManifestDiff.lines(from: ["a": ["b": 1]], to: ["a": ["b": 2]], redact: false)
    #expect(ManifestDiff.value(lines) == [["a:", nil], ["  b: 1", "removed"], ["  b: 2", "added"]])
  }

  @Test("a deployment's documents become one, without what is there twice")
  func document() throws {
    let document = ManifestDiff.document(
      manifest: try YAML.parse("name: d\nreleases: [{name: a, version: 1}]\ntags: {x: 1}"),
      cloudConfigs: [try YAML.parse("azs: [{name: z1}]"), try YAML.parse("azs: [{name: z2}]")],
      runtimeConfigs: [try YAML.parse("releases: [{name: a, version: 1}, {name: b, version: 2}]\ntags: {x: 2, y: 3}")])
    #expect(
      document
        == (try YAML.parse(
          "azs: [{name: z1}, {name: z2}]\nname: d\nreleases: [{name: a, version: 1}, {name: b, version: 2}]\n"
            + "tags: {x: 1, y: 3}")))
  }
}
