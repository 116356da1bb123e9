import Digests
import Formats
import Releases
import Testing

@Suite("ReleaseManifest")
struct ReleaseManifestTests {
  private static let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

  @Test("It survives being written and read")
  func roundTrip() throws {
    let digest = try MultiDigest(Self.digest)
    let manifest = ReleaseManifest(
      name: "redis", version: "0+dev.1", commitHash: "0123456", uncommittedChanges: true,
      jobs: [.init(name: "web", fingerprint: "1234567890", digest: digest, packages: ["app"])],
      packages: [
        .init(name: "app", fingerprint: "f2", digest: digest, dependencies: ["base"]),
        .init(name: "base", fingerprint: "1e5", digest: digest, dependencies: []),
      ],
      compiledPackages: [
        .init(name: "base", fingerprint: "1e5", digest: digest, stemcell: "debian/1", dependencies: [])
      ],
      license: .init(fingerprint: "f4", digest: digest))
    #expect(try ReleaseManifest(Array(manifest.text.utf8)) == manifest)
  }

  @Test(
    "Errors name the file and the field",
    arguments: [
      ("[]", "release.MF: document: expected an object, found an array"),
      ("version: 1", "release.MF: name: missing; expected a string"),
      ("{name: a/b, version: 1}", "release.MF: release name 'a/b': may have letters"),
      ("{name: a, version: '1..2'}", "release.MF: version '1..2': has an empty part"),
      ("{name: a, version: 1, jobs: [{name: j}]}", "release.MF: jobs[0].fingerprint: "),
      ("{name: a, version: 1, jobs: [{name: ../j, fingerprint: f, sha1: ab}]}", "release.MF: jobs[0].name: "),
      ("{name: a, version: 1, jobs: [{name: j, fingerprint: f, sha1: 'x;x'}]}", "release.MF: jobs[0].sha1: "),
      (
        "{name: a, version: 1, jobs: [{name: j, fingerprint: f, sha1: ab, packages: [p]}]}",
        "release.MF: job 'j' needs package 'p', which is not in the release"
      ),
      (
        "{name: a, version: 1, packages: [{name: p, fingerprint: f, sha1: ab, dependencies: [q]}]}",
        "release.MF: package 'p' depends on package 'q', which is not in the release"
      ),
      (
        "{name: a, version: 1, packages: [{name: p, fingerprint: f, sha1: ab, dependencies: [p]}]}",
        "release.MF: packages depend on each other in a circle: p → p"
      ),
      (
        "{name: a, version: 1, packages: [{name: p, fingerprint: f, sha1: ab}, {name: p, fingerprint: f, sha1: ab}]}",
        "release.MF: packages: 'p' is there twice"
      ),
    ])
  func errors(text: String, message: String) {
    let error = #expect(throws: DroverError.self) { try ReleaseManifest(Array(text.utf8)) }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }
}

@Suite("PackageGraph")
struct PackageGraphTests {
  @Test("Dependencies come first, also through others")
  func order() throws {
    let graph = try PackageGraph([("c", ["b"]), ("b", ["a"]), ("d", []), ("a", [])])
    #expect(graph.order == ["a", "b", "c", "d"])
    #expect(graph.all(of: "c") == ["a", "b"])
    #expect(graph.direct(of: "c") == ["b"])
  }

  @Test("A circle is named, also a long one without recursion")
  func circle() {
    let error = #expect(throws: DroverError.self) { try PackageGraph([("a", ["b"]), ("b", ["c"]), ("c", ["b"])]) }
    #expect(error?.message == "packages depend on each other in a circle: b → c → b")
    let long = (0..<50_000).map { ("p\($0)", ["p\(($0 + 1) % 50_000)"]) }
    #expect(throws: DroverError.self) { try PackageGraph(long) }
  }
}
