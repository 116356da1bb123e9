import Formats
import Testing

@testable import CommandLine

@Suite struct ArtifactSourceTests {
  @Test(
    "a path, or an address of a file, is a file; what the server can fetch is an address",
    arguments: [
      ("/a/b.tgz", .file("/a/b.tgz")), ("file:///a/b.tgz", .file("/a/b.tgz")),
      ("https://x/y.tgz?v=1", .address("https://x/y.tgz?v=1")), ("HTTP://x/y", .address("HTTP://x/y")),
    ] as [(String, ArtifactSource)])
  func sources(text: String, source: ArtifactSource) throws {
    #expect(try ArtifactSource(text) == source)
  }

  @Test("a path is seen from the folder that the command runs in")
  func relative() throws {
    #expect(try ArtifactSource("b.tgz") == .file(absolutePath("b.tgz")))
    #expect(try ArtifactSource("file://b.tgz") == .file(absolutePath("b.tgz")))
  }

  @Test("other addresses are refused", arguments: ["git+https://x/y", "s3://b/k", "://x"])
  func refused(text: String) {
    #expect { try ArtifactSource(text) } throws: { ($0 as? DroverError)?.message.contains("'\(text)'") == true }
  }

  @Test("a file that is no tarball is told as what it was to be; at an address nothing is looked into")
  func manifests() throws {
    let error = #expect(throws: DroverError.self) {
      try ArtifactSource("/etc/passwd").manifest("release") { throw DroverError(.corrupt, "\($0): no header") }
    }
    #expect(error?.description == "reading it as a release tarball: /etc/passwd: no header")
    #expect(try ArtifactSource("https://h/r.tgz").manifest("release") { $0 } == nil)
  }

  @Test("the releases of a manifest that have a url are wanted, with name, version and digest")
  func wanted() throws {
    let manifest = try YAML.parse(
      """
      releases:
      - {name: a, version: 1.2, url: "https://x/a.tgz", sha1: abc}
      - {name: b, version: latest}
      - {name: c, version: 3, url: "file:///c.tgz"}
      - {name: d, version: 4, url: ""}
      """)
    let wanted = try WantedRelease.of(manifest, fix: true)
    #expect(wanted.map(\.name) == ["a", "c"] && wanted.map(\.version) == ["1.2", "3"])
    #expect(wanted.map(\.digest) == ["abc", nil] && wanted.allSatisfy(\.fix))
    #expect(wanted.map(\.source) == [.address("https://x/a.tgz"), .file("/c.tgz")])
    #expect(try WantedRelease.of(["name": "x"], fix: false).isEmpty)
    #expect(throws: DroverError.self) {
      try WantedRelease.of(["releases": [["name": "g", "url": "git://x"]]], fix: false)
    }
  }
}
