import Digests
import Formats
import Releases
import Testing

@Suite("JobSpec")
struct JobSpecTests {
  private static let text = """
    ---
    name: web\t
    description: serves
    templates:
      ctl.erb: bin/ctl
      bin/run: bin/run
    packages: [app]
    properties:
      web.port: {description: port, default: 8080}
      web.tls:
      password: {}
      list: {default: [b, {z: 1, a: 2}]}
    provides:
    - {name: web, type: http, properties: [web.port]}
    consumes:
    - {name: db, type: sql, optional: true}
    """

  @Test("Everything that a spec may say is read, tabs after scalars included")
  func reads() throws {
    let spec = try JobSpec(Array(Self.text.utf8), file: "job.MF")
    #expect(spec.name == "web")
    #expect(spec.templates.map(\.destination) == ["bin/ctl", "bin/run"])
    #expect(spec.isErrand(as: .job) && !spec.isErrand(as: .errand))
    #expect(spec.packages == ["app"])
    #expect(spec.properties.map(\.name) == ["web.port", "web.tls", "password", "list"])
    #expect(spec.properties.map(\.defaultValue) == [8080, nil, nil, ["b", ["z": 1, "a": 2]]])
    #expect(spec.provides == [.init(name: "web", type: "http", properties: ["web.port"])])
    #expect(spec.consumes == [.init(name: "db", type: "sql", isOptional: true)])
  }

  @Test("Only declared properties are seen, given or default, keys sorted")
  func properties() throws {
    let spec = try JobSpec(Array(Self.text.utf8), file: "job.MF")
    let effective = try spec.effectiveProperties(["web": ["port": 1, "secret": 2], "other": 3, "password": false])
    #expect(
      JSON.text(.object(effective))
        == #"{"list":["b",{"a":2,"z":1}],"password":false,"web":{"port":1,"tls":null}}"#)
    #expect(try spec.effectiveProperties([:])["web"] == ["port": 8080, "tls": nil])
    let error = #expect(throws: DroverError.self) { try spec.effectiveProperties(["web": "x"]) }
    #expect(error?.message == "Property 'web.port' expects a hash, but received 'String'")
    #expect(try JobSpec.select(["web.port", "none"], from: ["web": ["port": 1, "x": 2]]) == ["web": ["port": 1]])
  }

  @Test(
    "Errors name the file and the field",
    arguments: [
      ("{name: [a]}", "j: name: expected a string, found an array"),
      ("{name: a, templates: {x: ../y}}", "j: templates.x: '../y' leaves the job's folder"),
      ("{name: a, templates: {/x: y}}", "j: templates./x: '/x' leaves the job's folder"),
      ("{name: a, templates: [x]}", "j: templates: expected an object, found an array"),
      ("{name: a, properties: {p: 5}}", "j: properties.p: expected an object, found an integer"),
      ("{name: a, provides: [{name: l}]}", "j: provides[0].type: missing"),
      ("{name: a, provides: [{name: l, type: t}, {name: l, type: u}]}", "j: provides[1]: link 'l' is provided twice"),
      ("{name: a, consumes: [{name: l, type: t}, {name: l, type: t}]}", "j: consumes[1]: link 'l' is consumed twice"),
      ("name: a\n b: c", "j line 2 column 3"),
    ])
  func errors(text: String, message: String) {
    let error = #expect(throws: DroverError.self) { try JobSpec(Array(text.utf8), file: "j") }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }
}

@Suite("StemcellManifest")
struct StemcellManifestTests {
  @Test("It survives being written and read")
  func roundTrip() throws {
    let manifest = StemcellManifest(
      name: "drover-debian", version: "1.10", digest: MultiDigest(.sha1, hex: "ab"), operatingSystem: "debian-bookworm",
      formats: ["drover-runc"], cloudProperties: ["infrastructure": "runc"])
    #expect(try StemcellManifest(Array(manifest.text.utf8)) == manifest)
    #expect(manifest.compilationTarget == "debian-bookworm/1.10")
  }

  @Test("What is not said has its default")
  func defaults() throws {
    let manifest = try StemcellManifest(Array("{name: s, version: 3586.100}".utf8))
    #expect(manifest.operatingSystem == "s")
    #expect(manifest.apiVersion == 1)
    #expect(manifest.digest == nil)
  }
}
