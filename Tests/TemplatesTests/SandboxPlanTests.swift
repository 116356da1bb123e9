import Formats
import Testing

@testable import Templates

@Suite struct SandboxPlanTests {
  @Test("links of the root stay links, folders become visible, what is not there is left out")
  func plan() throws {
    let machine: [String: SandboxPlan.Entry] = [
      "/usr": .folder, "/bin": .link(to: "usr/bin"), "/lib": .folder, "/usr/bin/ruby": .link(to: "ruby3.1"),
      "/etc/ld.so.cache": .file, "/etc/shadow": .file, "/home": .folder,
    ]
    let plan = try SandboxPlan(RendererConfiguration()) { machine[$0] }
    #expect(plan.visible == ["/usr", "/lib", "/etc/ld.so.cache"])
    #expect(plan.links == [SandboxPlan.Link(path: "/bin", target: "usr/bin")])
    #expect(plan.devices == ["/dev/null", "/dev/urandom"])
  }

  @Test("folders that are not there, or not absolute, are refused", arguments: ["usr", "/", "/usr/", "/none"])
  func refused(_ folder: String) {
    let configuration = RendererConfiguration(readableFolders: [folder])
    #expect(throws: DroverError.self) {
      try SandboxPlan(configuration) { $0 == "/none" ? nil : .folder }
    }
  }
}
