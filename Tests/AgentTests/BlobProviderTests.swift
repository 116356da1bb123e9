import AgentProtocol
import Formats
import Testing

@testable import Agent

@Suite struct BlobProviderTests {
  private let layout = VMLayout()

  @Test("a DAV blobstore is that of slide 28: two digits of the id's SHA-1, and basic authentication")
  func slide28() throws {
    let settings = BlobstoreSettings(
      provider: "dav", options: ["endpoint": "http://216.55.141.200:25250", "user": "agent", "password": "agent"])
    guard case .dav(let dav) = try BlobProvider(settings, layout: layout) else {
      Issue.record("expected a DAV blobstore")
      return
    }
    #expect(
      dav.url("13db6a1a-c262-4cc1-b765-b401b47cd366")
        == "http://216.55.141.200:25250/b3/13db6a1a-c262-4cc1-b765-b401b47cd366")
    #expect(dav.headers == ["Authorization": "Basic YWdlbnQ6YWdlbnQ="])
  }

  @Test("the provider's name chooses the client")
  func choice() throws {
    func provider(_ name: String, _ options: ValueObject = [:]) throws -> BlobProvider {
      try BlobProvider(BlobstoreSettings(provider: name, options: options), layout: layout)
    }
    #expect(try provider("local", ["blobstore_path": "/blobs"]) == .local(folder: "/blobs"))
    #expect(
      try provider("local", ["blobstore_path": "/var/vcap/micro_bosh/data/cache"])
        == .local(folder: "/var/vcap/data/blobs"))
    #expect(
      try provider("s3", ["bucket_name": "b"])
        == .external(ExternalBlobstore(provider: "s3", options: ["bucket_name": "b"], layout: layout)))
    #expect(try provider("davcli", ["endpoint": "https://h//"]) == .dav(try DAVBlobstore(["endpoint": "https://h"])))
  }

  @Test(
    "what cannot be used is refused, and says why",
    arguments: [
      ("", "name no blobstore"), ("local", "blobstore_path: expected an absolute path"),
      ("dav", "endpoint: expected an http or https URL"), ("dummy", "keeps nothing"), ("../x", "plain name"),
    ])
  func refused(_ name: String, _ text: String) throws {
    let error = #expect(throws: DroverError.self) {
      try BlobProvider(BlobstoreSettings(provider: name), layout: layout)
    }
    #expect("\(try #require(error))".contains(text))
  }
}
