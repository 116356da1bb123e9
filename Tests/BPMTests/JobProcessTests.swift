import Digests
import Formats
import Testing

@testable import BPM

@Suite("JobProcess")
struct JobProcessTests {
  @Test("Every path is where the original has it")
  func paths() throws {
    let names = try JobProcess(root: "/r", job: "web", process: "nginx")
    #expect(names.configuration == "/r/jobs/web/config/bpm.yml")
    #expect(names.bundle == "/r/data/bpm/bundles/web/nginx")
    #expect(names.pidfile == "/r/sys/run/bpm/web/nginx.pid")
    #expect(names.outputLog == "/r/sys/log/web/nginx.stdout.log")
    #expect(names.errorLog == "/r/sys/log/web/nginx.stderr.log")
    #expect(names.bpmLog == "/r/sys/log/web/bpm.log")
    #expect(names.runFolder == "/r/sys/run/web")
    #expect(names.temporaryFolder == "/r/data/web/tmp")
    #expect(JobProcess.runcRoot("/r") == "/r/sys/run/bpm-runc")
    #expect(names.lock == "/r/data/bpm/locks/job-bpm-web.2enginx.lock")
    #expect(try JobProcess(root: "/r", job: "a", process: "a").lock == "/r/data/bpm/locks/job-bpm-a.2ea.lock")
    #expect(names.inside("/r/jobs/web") == "/var/vcap/jobs/web")
  }

  @Test("The digest in the names of locks and cgroups is SHA-256, for texts of every length")
  func digest() throws {
    #expect(PathDigest.hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(PathDigest.hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    for length in 0..<300 {
      let text = String((0..<length).map { Character(Unicode.Scalar(UInt8(33 + ($0 * 7 + length) % 90))) })
      #expect(PathDigest.hex(text) == DigestHasher.hex(.sha256, text), "\(length)")
    }
    #expect(
      JobProcess.volumeLock("/r", "/var/vcap/data/ä")
        == "/r/data/bpm/locks/vol-\(DigestHasher.hex(.sha256, "/var/vcap/data/ä")).lock")
  }

  @Test(
    "A container's id is the name with everything unusual escaped",
    arguments: [
      ("web", "web", "bpm-web"), ("web", "nginx", "bpm-web.2enginx"), ("a_b-C9", "a_b-C9", "bpm-a_b-C9"),
      ("ä", "ä", "bpm-.c3.a4"), ("a b", "a b", "bpm-a.20b"),
    ])
  func ids(job: String, process: String, id: String) throws {
    let names = try JobProcess(job: job, process: process)
    #expect(names.containerID == id)
    #expect(try ContainerID.decode(id) == names.name)
  }

  @Test(
    "What is no id is refused",
    arguments: [
      ("web", "invalid job ID (missing prefix): \"web\""),
      ("bpm-a.2", "invalid job ID (incomplete escape sequence): \"bpm-a.2\""),
      ("bpm-a.zz", "invalid job ID (incomplete escape sequence): \"bpm-a.zz\""),
    ])
  func noIDs(id: String, message: String) {
    let error = #expect(throws: DroverError.self) { try ContainerID.decode(id) }
    #expect(error?.message == message)
  }

  @Test("Names that would leave their folder are refused", arguments: ["", ".", "..", "a/b", "../x", "a\0b"])
  func refused(name: String) {
    #expect(throws: DroverError.self) { try JobProcess(job: name, process: "x") }
    #expect(throws: DroverError.self) { try JobProcess(job: "x", process: name) }
  }

  @Test("Names that share a container are known")
  func namesakes() throws {
    let pairs = try JobProcess(job: "a", process: "b.c").namesakes.map { "\($0.job) \($0.process)" }
    #expect(pairs == ["a.b.c a.b.c", "a.b c"])
    #expect(try JobProcess(job: "a", process: "a").namesakes.isEmpty)
  }
}
