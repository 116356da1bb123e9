import Formats
import Testing

@testable import CommandLine

@Suite struct InstanceSlugTests {
  @Test(
    "An instance is a group and an index or UUID; a star or nothing is all",
    arguments: [
      (nil, "*/*", "all instances"), ("web", "web/*", "web"), ("web/0", "web/0", "web/0"),
      ("*", "*/*", "all instances"),
      ("web/*", "web/*", "web"), ("web/a b", "web/a%20b", "web/a b"),
    ] as [(String?, String, String)])
  func slugs(_ text: String?, _ path: String, _ description: String) throws {
    let slug = try InstanceSlug(text)
    #expect(slug.path == path)
    #expect(slug.description == description)
  }

  @Test("More than two parts, or empty ones, are refused", arguments: ["a/b/c", "/0", "web/"])
  func refused(_ text: String) {
    #expect(throws: DroverError.self) { try InstanceSlug(text) }
  }

  @Test("The target of a request names the group, and the id as both index and UUID")
  func target() throws {
    #expect(try InstanceSlug("web/0").target == ["ids": ["0"], "indexes": ["0"], "job": "web"])
    #expect(try InstanceSlug(nil).target == ["ids": [], "indexes": []])
  }
}

@Suite struct CopyPathTests {
  @Test(
    "A path on an instance begins with its name and a colon",
    arguments: [
      ("web/0:/etc/hosts", true, "web/0", "/etc/hosts"), (":/tmp/a", true, "", "/tmp/a"), ("./a:b", false, "", "./a:b"),
      ("/a:b", false, "", "/a:b"), ("plain", false, "", "plain"),
      ("web:x-((instance_id))-((instance_id))", true, "web", "x-u1-u1"),
    ])
  func paths(_ text: String, _ isRemote: Bool, _ slug: String, _ path: String) throws {
    let parsed = try CopyPath(text)
    #expect(parsed.isRemote == isRemote)
    #expect(parsed.slug == slug)
    #expect(parsed.text(for: "u1") == path)
  }

  @Test(
    "At least one path is on instances, and all of those on the same ones",
    arguments: [["a", "b"], ["a:x"], ["a:x", "b:y"]])
  func slug(_ texts: [String]) {
    #expect(throws: DroverError.self) { try CopyPath.slug(of: texts.map(CopyPath.init)) }
  }
}

@Suite struct SSHSessionTests {
  private let answer: Value = [
    [
      "command": "setup", "status": "success", "ip": "10.0.0.4", "host_public_key": "ecdsa K\n", "id": "u1", "index": 0,
      "job": "web",
    ]
  ]

  @Test("Hosts are read from the task's result")
  func hosts() throws {
    let hosts = try SSHSession.hosts([answer])
    #expect(hosts == [.init(group: "web", id: "u1", address: "10.0.0.4", hostKey: "ecdsa K")])
    #expect(throws: DroverError.self) { try SSHSession.hosts([[["status": "failure", "ip": "1"]]]) }
  }

  @Test("ssh believes no host but the one that the director vouches for, and uses no key but the session's")
  func arguments() throws {
    let hosts = try SSHSession.hosts([answer])
    let session = SSHSession(user: "bosh_1", hosts: hosts, folder: "/f", options: ["-v"])
    let ssh = session.ssh(hosts[0], command: "id -u; true", hasTerminal: false)
    #expect(ssh.suffix(7) == ["-v", "-l", "bosh_1", "-T", "10.0.0.4", "--", "id -u; true"])
    #expect(ssh.contains("StrictHostKeyChecking=yes") && ssh.contains("UserKnownHostsFile=/f/hosts"))
    #expect(ssh.contains("IdentitiesOnly=yes"))
    #expect(session.remote(hosts[0], "/a b") == "bosh_1@10.0.0.4:/a b")
  }
}
