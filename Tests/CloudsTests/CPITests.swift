import Files
import Formats
import Foundation
import Logging
import Surroundings
import Testing

@testable import Clouds

@Suite("CPI")
struct CPITests {
  @Test("a request reads back as it was written")
  func request() throws {
    let request = CPIRequest(
      method: "create_disk", arguments: [1024, [:], .null], context: ["director_uuid": "u"], apiVersion: 2)
    #expect(try CPIRequest(request.encoded()) == request)
    let info = CPIRequest(method: "info")
    #expect(try JSON.parse(info.encoded()) == ["method": "info", "arguments": [], "context": [:]])
  }

  static let answers: [(String, CPIResponse)] = [
    (#"{"result":"vm-1","error":null,"log":""}"#, CPIResponse(result: "vm-1")),
    (#"{"result":["vm-1",{}],"error":null,"log":"said"}"#, CPIResponse(result: ["vm-1", [:]], log: "said")),
    (
      #"{"result":null,"error":{"type":"Bosh::Clouds::VMNotFound","message":"m","ok_to_retry":true},"log":""}"#,
      CPIResponse(error: CloudError(.vmNotFound, "m", okToRetry: true))
    ),
    (
      #"{"error":{"type":"Unknown","message":"m"}}"#,
      CPIResponse(error: CloudError(CloudError.Kind(rawValue: "Unknown"), "m"))
    ),
  ]

  @Test("answers are read as CPIs print them, and read back as written", arguments: answers)
  func response(text: String, expected: CPIResponse) throws {
    #expect(try CPIResponse(Array(text.utf8)) == expected)
    #expect(try CPIResponse(expected.encoded()) == expected)
  }

  @Test("what is no answer is a CpiError that shows it", arguments: ["", "Traceback", "[]", "{}", "{\"result\":"])
  func nonsense(text: String) {
    let error = #expect(throws: CloudError.self) { _ = try CPIResponse(Array(text.utf8)) }
    #expect(error?.kind == .cpiError)
    #expect(error?.message.contains("\"\(text)\"") == true)
  }

  static let notImplemented: [(CloudError, Bool)] = [
    (CloudError(.notImplemented, ""), true), (CloudError(.invalidCall, "Method is not known, got x"), true),
    (CloudError(.cloudError, "Invalid Method: x"), true), (CloudError(.cloudError, "x"), false),
  ]

  @Test("a missing method is known in all its forms", arguments: notImplemented)
  func missingMethod(error: CloudError, expected: Bool) { #expect(error.isNotImplemented == expected) }

  @Test("a CPI executable has a clean environment and gets the context; its stderr and log go to the log")
  func external() async throws {
    try await withFolder { folder in
      let script = """
        #!/bin/sh
        echo "on stderr" >&2
        [ -z "$DROVER_TEST_LEAK" ] || exit 3
        cat >\(folder)/request
        echo '{"result":["vm-9",{"n":{}}],"error":null,"log":"in the answer"}'
        exit 5
        """
      try Files.replace("\(folder)/cpi", with: Array(script.utf8), mode: 0o755)
      setenv("DROVER_TEST_LEAK", "1", 1)
      let said = Said()
      let cpi = ExternalCPI(
        configuration: ExternalCPI.Configuration(
          executable: "\(folder)/cpi", directorID: "uuid", properties: ["key": "value"], stemcellVersion: 3),
        log: { said.append($0) })
      let created = try await cpi.createVM(VMRequest(agentID: "a", stemcell: "s", env: ["e": 1]))
      #expect(created == CreatedVM(id: "vm-9", networks: ["n": [:]]))
      #expect(said.text == "on stderr\nin the answer")
      let request = try CPIRequest(Files.read("\(folder)/request"))
      #expect(request.method == "create_vm")
      #expect(request.arguments == ["a", "s", [:], [:], [], ["e": 1]])
      #expect(request.apiVersion == 2)
      #expect(request.context["director_uuid"] == "uuid")
      #expect(request.context["key"] == "value")
      #expect(request.context["vm"] == ["stemcell": ["api_version": 3]])
      #expect(request.context["request_id"]?.string?.hasPrefix("cpi-") == true)
    }
  }

  @Test(
    "the dispatcher makes calls and answers with their errors",
    arguments: [
      ("info", [], CPIResponse(result: ["stemcell_formats": ["drover-runc"], "api_version": 2])),
      ("has_vm", ["vm-1"], CPIResponse(result: false)),
      (
        "has_vm", [],
        CPIResponse(error: CloudError(.cpiError, "has_vm: argument 1, the VM: expected a string, found none"))
      ),
      (
        "delete_vm", ["../x"],
        CPIResponse(
          error: CloudError(.vmNotFound, "VM \"../x\": that is no id; it may have letters, digits, '-', '_' and '.'"))
      ),
      ("delete_vm", ["vm-1"], CPIResponse(error: CloudError(.vmNotFound, "there is no VM vm-1"))),
      ("delete_disk", ["disk-1"], CPIResponse(error: CloudError(.diskNotFound, "there is no disk disk-1"))),
      (
        "snapshot_disk", [],
        CPIResponse(
          error: CloudError(.notImplemented, "this CPI does not have the method snapshot_disk"))
      ),
      (
        "calculate_vm_cloud_properties", [["cpu": 2, "ram": 512, "ephemeral_disk_size": 10]],
        CPIResponse(result: ["cpu": 2, "memory": 512, "ephemeral_disk": 10])
      ),
    ] as [(String, [Value], CPIResponse)])
  func dispatch(method: String, arguments: [Value], expected: CPIResponse) async throws {
    try await withFolder { folder in
      let cloud = RuncCloud(
        configuration: RuncCloud.Configuration(name: "none", directory: folder),
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
      let request = CPIRequest(method: method, arguments: arguments, apiVersion: 2)
      #expect(await CPIDispatcher(cloud).answer(request) == expected)
    }
  }

  @Test(
    "the executable is called with a configuration file",
    arguments: [
      (["--config", "/f"], "/f"), (["--config=/f"], "/f"), (["/f"], "/f"), (["--help"], nil),
    ] as [([String], String?)])
  func program(arguments: [String], path: String?) throws {
    #expect(try CPIProgram.configurationPath(arguments) == path)
  }

  @Test(
    "a wrong call of the executable is refused", arguments: [[], ["--config"], ["--bad"], ["a", "b"]] as [[String]])
  func wrongCall(arguments: [String]) {
    #expect(throws: DroverError.self) { _ = try CPIProgram.configurationPath(arguments) }
  }

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = "/tmp/drover-cpi-tests.\(Surroundings.system.identifier())"
    try Files.makeFolder(folder)
    let result: Result<Void, any Error>
    do { result = .success(try await body(folder)) } catch { result = .failure(error) }
    try Files.remove(folder)
    try result.get()
  }
}

private final class Said: @unchecked Sendable {
  private let lock = NSLock()
  private var parts: [String] = []
  func append(_ part: String) { lock.withLock { parts.append(part) } }
  var text: String { lock.withLock { parts.joined() } }
}
