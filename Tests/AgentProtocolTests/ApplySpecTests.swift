import AgentProtocol
import Formats
import Testing

@Suite struct ApplySpecTests {
  static let sent = """
    {"deployment":"redis","name":"redis","id":"inst-1","index":0,"az":"z1",
     "job":{"name":"redis","release":"r","template":"redis","version":"1","templates":[
       {"name":"redis","version":"abc","sha1":"sha256:11","blobstore_id":"b1","logs":[]},{"name":"bpm","version":"d"}]},
     "networks":{"default":{"ip":"10.0.0.2","netmask":"255.255.255.0","cloud_properties":{"x":[1,2.5]},"dns":["8.8.8.8"]}},
     "packages":{"redis":{"name":"redis","version":"fp.1","sha1":"aa","blobstore_id":"p1",
       "signed_url":"https://b/p1","blobstore_headers":{"h":"v"}},"tools":{"name":"tools","version":"2.1","sha1":"bb",
       "blobstore_id":"p2"}},
     "persistent_disk":1024,"configuration_hash":"c0","template_hashes":{"redis":"x"},
     "rendered_templates_archive":{"blobstore_id":"ra","sha1":"sha256:99"},"dns_domain_name":"bosh",
     "properties":{"logging":{"max_log_file_size":"10M"}}}
    """

  @Test("what a director sends is read, and what an agent does not keep is dropped")
  func reading() throws {
    let spec = try ApplySpec(JSON.parse(Self.sent))
    #expect(spec.deployment == "redis" && spec.id == "inst-1" && spec.index == 0 && spec.az == "z1")
    #expect(spec.jobs.map(\.name) == ["redis", "bpm"])
    #expect(spec.job.templates[0].sha1 == "sha256:11")
    #expect(spec.packages.map(\.name) == ["redis", "tools"])
    #expect(spec.packages[0].signedURL == "https://b/p1")
    #expect(spec.packages[0].blobstoreHeaders == ["h": "v"])
    #expect(spec.renderedTemplatesArchive == .init(sha1: "sha256:99", blobstoreID: "ra"))
    #expect(spec.maximumLogFileSize == "10M")
    #expect(spec.persistentDisk == 1024)
    #expect(spec.value["template_hashes"] == nil)
  }

  @Test("a spec is written in the order of get_state and reads back as itself")
  func order() throws {
    let spec = try ApplySpec(JSON.parse(Self.sent))
    #expect(
      spec.value.object?.keys == [
        "properties", "job", "packages", "configuration_hash", "networks", "resource_pool", "deployment", "name",
        "index", "id", "az", "persistent_disk", "rendered_templates_archive",
      ])
    #expect(try ApplySpec(spec.value) == spec)
  }

  @Test("an errand of a release is told by its kind, and has no part in what starts and stops")
  func errands() throws {
    let text = #"{"job":{"templates":[{"name":"web","version":"1"},{"name":"smoke","version":"2","kind":"errand"}]}}"#
    let spec = try ApplySpec(JSON.parse(text))
    #expect(spec.job.templates.map(\.isErrand) == [false, true])
    #expect(spec.job.lifecycleNames == ["web"])
    #expect(spec.value["job"]?["templates"]?.array?.map { $0["kind"] } == [nil, "errand"])
    #expect(try ApplySpec(spec.value) == spec)
  }

  @Test("networks come back exactly as they were sent")
  func networksVerbatim() throws {
    let sent = try JSON.parse(Self.sent)
    #expect(JSON.text(try ApplySpec(sent).value["networks"] ?? .null) == JSON.text(sent["networks"] ?? .null))
  }

  @Test("an empty spec is empty")
  func empty() throws {
    let spec = try ApplySpec([:])
    #expect(spec == ApplySpec())
    #expect(spec.index == nil && spec.value["index"] == .some(.null))
    #expect(spec.maximumLogFileSize == "50M")
    #expect(spec.jobs.isEmpty)
  }

  @Test("an archive without id and digest is none, and then no job is installed")
  func emptyArchive() throws {
    let spec = try ApplySpec([
      "job": ["templates": [["name": "a", "version": "1"]]],
      "rendered_templates_archive": ["sha1": "", "blobstore_id": ""],
    ])
    #expect(spec.renderedTemplatesArchive == nil)
    #expect(spec.jobs.isEmpty)
  }

  @Test(
    "wrong kinds are named",
    arguments: [
      (#"[]"#, "apply spec: expected an object, found an array"),
      (#"{"packages":[]}"#, "apply spec.packages: expected an object, found an array"),
      (#"{"index":"0"}"#, "apply spec.index: expected an integer, found a string"),
      (#"{"job":{"templates":[{"version":"1"}]}}"#, "apply spec.job.templates[0].name: missing; expected a string"),
      (#"{"packages":{"p":3}}"#, "apply spec.packages.p: expected an object, found an integer"),
    ])
  func wrongKinds(text: String, message: String) throws {
    let error = try #require(throws: DroverError.self) { try ApplySpec(JSON.parse(text)) }
    #expect(error.message == message)
  }
}
