import Formats
import Glibc
import Logging
import Surroundings
import Templates
import Testing

@Suite("RubyRenderer", .enabled(if: canSandbox, "a sandbox needs root"), .timeLimit(.minutes(10)))
struct RubyRendererTests {
  @Test("jobs come back in order with monit file, files and provided links")
  func renders() async throws {
    var first = job("port <%= p('port') %>\n", properties: ["port": 1], name: "one")
    first.monit = Array("check process <%= name %>".utf8)
    first.providedLinks = [
      ProvidedLink(name: "b", type: "t", group: "2"), ProvidedLink(name: "a", type: "t", group: "1"),
    ]
    let jobs = [first, job("two", name: "two"), job("three", name: "three")]
    let rendered = try await withRenderer {
      try await $0.render(GroupRenderRequest(instanceGroup: "g", jobs: jobs))
    }
    #expect(rendered.map(\.jobName) == ["one", "two", "three"])
    #expect(
      rendered[0]
        == RenderedJob(
          jobName: "one", monit: Array("check process group".utf8),
          files: [RenderedFile(source: "t.erb", destination: "t", content: Array("port 1\n".utf8))],
          linksJSON: Array(
            """
            [
              {
                "name": "a",
                "type": "t",
                "group": "1"
              },
              {
                "name": "b",
                "type": "t",
                "group": "2"
              }
            ]

            """.utf8)))
    #expect(rendered[1].linksJSON == Array("[]\n".utf8))
  }

  @Test("every error of every job is in the report; the error of a monit file ends its job")
  func report() async throws {
    var one = job("<% raise 'first' %>", name: "one")
    one.templates += [
      JobTemplate(source: "fine", destination: "fine", content: Array("fine".utf8)),
      JobTemplate(source: "bin/ctl", destination: "bin/ctl", content: Array("\n<%= p('x') %>".utf8)),
    ]
    var two = job("<% raise 'not reached' %>", name: "two")
    two.monit = Array("<%= p('pidfile') %>".utf8)
    let request = GroupRenderRequest(instanceGroup: "g", jobs: [one, job("fine", name: "ok"), two])
    let failure = await #expect(throws: TemplateFailure.self) {
      try await withRenderer { try await $0.render(request) }
    }
    #expect(
      failure?.report == """
        - Unable to render jobs for instance group 'g'. Errors are:
          - Unable to render templates for job 'one'. Errors are:
            - Error filling in template 't.erb' (line 1: first)
            - Error filling in template 'bin/ctl' (line 2: Can't find property '["x"]')
          Error filling in template 'monit' (line 1: Can't find property '["pidfile"]')
        """)
  }

  @Test("many requests at once are all answered, each with its own")
  func concurrent() async throws {
    try await withRenderer(RendererConfiguration(workers: 2, concurrency: 8)) { renderer in
      try await withThrowingTaskGroup(of: (Int, String).self) { group in
        for number in 0..<100 {
          group.addTask { (number, try await renderer.text(job("<%= p('n') %>", properties: ["n": .int(number)]))) }
        }
        for try await (number, text) in group { #expect(text == "\(number)") }
      }
      #expect(await renderer.workerProcesses.count == 2)
    }
  }

  @Test("a worker that was killed is replaced")
  func restarts() async throws {
    try await withRenderer { renderer in
      _ = try await renderer.text(job("a"))
      let before = await renderer.workerProcesses
      for pid in before { kill(pid_t(pid), SIGKILL) }
      let again = try await renderer.text(job("b"))
      #expect(again == "b")
      let after = await renderer.workerProcesses
      #expect(after.count == 1 && after != before)
    }
  }

  @Test("a worker that is killed while it renders is replaced, and the job is rendered again")
  func retries() async throws {
    try await withRenderer { renderer in
      #expect(try await renderer.text(job("a")) == "a")
      let before = await renderer.workerProcesses
      async let text = renderer.text(job("<% sleep 0.5 %>b"))
      try await Task.sleep(for: .milliseconds(100))
      for pid in before { kill(pid_t(pid), SIGKILL) }
      let again = try await text
      #expect(again == "b")
    }
  }

  @Test("a cancelled request ends its process, and its place is free again")
  func cancellation() async throws {
    try await withRenderer(RendererConfiguration(concurrency: 1)) { renderer in
      #expect(try await renderer.text(job("a")) == "a")
      let worker = try #require(await renderer.workerProcesses.first)
      let running = Task { try await renderer.text(job("<% sleep %>")) }
      while children(of: worker) == 0 { try await Task.sleep(for: .milliseconds(5)) }
      let waiting = Task { try await renderer.text(job("never")) }
      waiting.cancel()
      running.cancel()
      await #expect(throws: CancellationError.self) { try await running.value }
      await #expect(throws: CancellationError.self) { try await waiting.value }
      #expect(children(of: worker) == 0)
      #expect(try await renderer.text(job("b")) == "b")
    }
  }

  @Test("after shutdown no process is left, and jobs are refused")
  func shutdown() async throws {
    let renderer = RubyRenderer(surroundings: .system, logger: Logger(label: "templates-tests"))
    #expect(try await renderer.text(job("a")) == "a")
    let workers = await renderer.workerProcesses
    let running = Task { try await renderer.text(job("<% sleep %>")) }
    while children(of: workers[0]) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    await renderer.shutdown()
    #expect(workers.allSatisfy { kill(pid_t($0), 0) != 0 && errno == ESRCH })
    await #expect(throws: DroverError.self) { try await running.value }
    let error = await #expect(throws: DroverError.self) { try await renderer.text(job("a")) }
    #expect(error?.code == .unavailable)
  }

  @Test("a shutdown while Ruby is being started waits for no more than its end", arguments: [0, 1, 5, 20, 80])
  func shutdownWhileStarting(milliseconds: Int) async throws {
    let renderer = RubyRenderer(surroundings: .system, logger: Logger(label: "templates-tests"))
    let running = Task { try await renderer.text(job("a")) }
    try await Task.sleep(for: .milliseconds(milliseconds))
    await renderer.shutdown()
    // It was rendered, or it was not.
    switch await running.result {
    case .success(let text): #expect(text == "a")
    case .failure(let error): #expect(error is DroverError)
    }
  }

  @Test(
    "without Ruby the error says so",
    arguments: [
      ("/usr/bin/no-ruby", "there is no program '/usr/bin/no-ruby'"), ("/opt/ruby", "in none of the folders"),
    ])
  func noRuby(_ path: String, _ text: String) async throws {
    let error = await #expect(throws: DroverError.self) {
      try await withRenderer(RendererConfiguration(ruby: path)) { try await $0.text(job("a")) }
    }
    #expect(error?.message.contains(text) == true, "\(String(describing: error))")
  }

  @Test("a Ruby that does not start is quoted")
  func brokenRuby() async throws {
    let error = await #expect(throws: DroverError.self) {
      try await withRenderer(RendererConfiguration(ruby: "/usr/bin/cat")) { try await $0.text(job("a")) }
    }
    #expect(error?.message.contains("cat: invalid option") == true, "\(String(describing: error))")
  }
}

/// How many children a process has.
private func children(of pid: Int) -> Int {
  let file = open("/proc/\(pid)/task/\(pid)/children", O_RDONLY)
  guard file >= 0 else { return 0 }
  defer { close(file) }
  var buffer = [UInt8](repeating: 0, count: 4096)
  let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
  return buffer.prefix(max(0, count)).split(separator: UInt8(ascii: " ")).count
}
