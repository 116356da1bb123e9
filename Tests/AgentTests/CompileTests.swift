import AgentProtocol
import Archives
import Digests
import Files
import Formats
import Processes
import TestSupport
import Testing

@testable import Agent

@Suite struct CompileTests {
  private static let packaging = """
    set -e
    echo "$BOSH_PACKAGE_NAME $BOSH_PACKAGE_VERSION"
    [ "$PWD" = "$BOSH_COMPILE_TARGET" ]
    cat /dev/null "${BOSH_INSTALL_TARGET%/*}/dep/lib" > "$BOSH_INSTALL_TARGET/from-dep"
    cp source.txt "$BOSH_INSTALL_TARGET/"

    """

  private static func arguments(_ files: [String: String], _ test: TestAgent) throws -> [Value] {
    let dependency = try TestRelease.blob(["lib": "dep"], "dep-blob", test)
    let source = try TestRelease.blob(files, "source-blob", test)
    return CompileRequest(
      name: "pkg", version: "fp1", digest: source, blobstoreID: "source-blob",
      dependencies: [.init(name: "dep", version: "1", sha1: dependency, blobstoreID: "dep-blob")]
    ).arguments
  }

  @Test("a package is compiled with its dependencies, and nothing but the result is left")
  func compile() async throws {
    try await TestAgent.with { test in
      let arguments = try Self.arguments(["packaging": Self.packaging, "source.txt": "hello"], test)
      let response = try await test.request("compile_package", arguments)
      let task = try #require(AgentTaskReply(try TestAgent.value(response))).taskID
      let result = try CompileResult(await test.result(of: task))
      let blob = "\(test.blobstore)/\(try #require(result.blobstoreID))"
      #expect(try DigestHasher.hex(.sha1, Files.read(blob)) == result.sha1)
      try Archives.unpack(blob, into: "\(test.folder)/unpacked", options: .package)
      #expect(Files.textIfPresent("\(test.folder)/unpacked/source.txt") == "hello")
      #expect(Files.textIfPresent("\(test.folder)/unpacked/from-dep") == "dep")
      #expect(try Files.names(in: "\(test.base)/packages") == [])
      #expect(try !Files.exists("\(test.base)/data/compile/pkg"))
      #expect(
        Files.textIfPresent("\(test.base)/sys/log/compilation/packaging.stdout.log") == "pkg fp1\n")
      let output = try await readAll(task, test)
      #expect(String(decoding: output.stdout, as: UTF8.self) == "pkg fp1\n")
      #expect(String(decoding: output.stderr, as: UTF8.self).contains("+ set -e"))
    }
  }

  @Test("a packaging script that fails is told with its output, and the machine is clean afterwards")
  func failure() async throws {
    try await TestAgent.with { test in
      let arguments = try Self.arguments(
        ["packaging": "echo said; echo complained >&2; exit 9\n"], test)
      let response = try await test.request("compile_package", arguments)
      let task = try #require(AgentTaskReply(try TestAgent.value(response))).taskID
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(
        error.message.contains(
          "Compiling package pkg: Running packaging script: Running packaging script: Command exited with 9; "
            + "Stdout: said\n, Stderr: "))
      #expect(error.message.contains("complained"))
      #expect(try Files.names(in: "\(test.base)/packages") == [])
    }
  }

  @Test("a package without packaging script is empty, and one without source is refused")
  func edges() async throws {
    try await TestAgent.with { test in
      let arguments = try Self.arguments(["a": "b"], test)
      let response = try await test.request("compile_package", arguments)
      let task = try #require(AgentTaskReply(try TestAgent.value(response))).taskID
      let result = try CompileResult(await test.result(of: task))
      let blob = "\(test.blobstore)/\(try #require(result.blobstoreID))"
      try Archives.unpack(blob, into: "\(test.folder)/unpacked", options: .package)
      #expect(try Files.names(in: "\(test.folder)/unpacked") == [])

      let none = try await test.begin("compile_package", "", "00", "pkg", "1", [:])
      let error = try await #require(throws: DroverError.self) { try await test.result(of: none) }
      #expect(error.message.hasSuffix("No blobstore reference for package 'pkg'"))
    }
  }

  @Test("an agent that is started again during a compilation finishes it without compiling twice")
  func resume() async throws {
    try await withTemporaryFolder { folder in
      try TestAgent.prepare(folder)
      let base = "\(folder)/vcap"
      let packaging = """
        echo packaging >> \(base)/trace
        while [ ! -e \(base)/go ]; do sleep 0.02; done
        cp source.txt $BOSH_INSTALL_TARGET/

        """
      try await TestAgent.run(in: folder) { test in
        let arguments = try Self.arguments(["packaging": packaging, "source.txt": "hello"], test)
        _ = try await test.request("compile_package", arguments, id: "c1")
        try await waitFor("packaging\n") { Files.textIfPresent("\(base)/trace") }
      }
      #expect(Files.textIfPresent("\(base)/data/compile/pkg/source.txt") == "hello")
      try await TestAgent.run(in: folder) { test in
        try Files.replace("\(base)/go", with: [])
        let response = try await test.request("compile_package", [], id: "c1")
        let task = try #require(AgentTaskReply(try TestAgent.value(response))).taskID
        let result = try CompileResult(await test.result(of: task))
        #expect(try Files.exists("\(test.blobstore)/\(try #require(result.blobstoreID))"))
        #expect(Files.textIfPresent("\(base)/trace") == "packaging\n")
      }
    }
  }
}
