import Formats
import Glibc
import Templates
import Testing

@Suite("Sandbox", .enabled(if: canSandbox, "a sandbox needs root"))
struct SandboxTests {
  struct Escape: Sendable {
    var name: String
    /// What the template does; its value is rendered.
    var code: String
    /// A part of the error.
    var error: String

    init(_ name: String, _ code: String, _ error: String) {
      self.name = name
      self.code = code
      self.error = error
    }
  }

  static let escapes = [
    Escape("a TCP connection", "require 'socket'; TCPSocket.new('127.0.0.1', 22)", "Operation not permitted"),
    Escape("an abstract Unix socket", "require 'socket'; UNIXServer.new(\"\\0x\")", "Operation not permitted"),
    Escape("/etc/shadow", "File.read('/etc/shadow')", "No such file or directory"),
    Escape("the server's state", "Dir.children('/var/lib')", "No such file or directory"),
    Escape("the processes of the machine", "Dir.children('/proc')", "No such file or directory"),
    Escape("a file in /tmp", "Dir.mkdir('/tmp')", "Read-only file system"),
    Escape("a file in /", "File.write('/x', 'x')", "Read-only file system"),
    Escape("a file in /usr", "File.write('/usr/x', 'x')", "Read-only file system"),
    Escape("a temporary file", "require 'tempfile'; Tempfile.new('x')", "could not find a temporary directory"),
    Escape("a device", "File.mkfifo('/dev/fifo')", "Read-only file system"),
    Escape("becoming root", "Process::Sys.setuid(0)", "Operation not permitted"),
    Escape("killing its worker", "Process.kill(:KILL, 1)", "Operation not permitted"),
    Escape(
      "killing its siblings",
      "(2..200).each { |pid| begin; Process.kill(:KILL, pid) unless pid == $$; rescue Errno::ESRCH; end }; raise 'nobody'",
      "nobody"),
    Escape("killing all that it can", "Process.kill(:KILL, -1)", "No such process"),
    Escape("a process", "fork { }", "a template cannot start a process"),
    Escape("a fork bomb", "loop { fork { sleep } }", "a template cannot start a process"),
    Escape("a command", "`id`", "a template cannot start a process"),
    Escape("threads", "loop { Thread.new { sleep } }", "can't create Thread"),
    Escape("raising its limits", "Process.setrlimit(:NPROC, 100, 100)", "Operation not permitted"),
    Escape("a 10 GB string", "'x' * 10_000_000_000", "failed to allocate memory"),
    Escape("a growing array", "a = []; loop { a << 'x' * 1_000_000 }", "failed to allocate memory"),
    Escape("deep recursion", "def deep(n) = deep(n + 1) + 1; deep(0)", "stack level too deep"),
    Escape(
      "deep nesting", "a = []; 1_000_000.times { a = [a] }; a.flatten.inspect + a.hash.to_s; raise 'survived'", ""),
    Escape("leaving with exit!", "exit!", "ended with status 1 before it had a result"),
    Escape("leaving with exit", "exit 3", "exit"),
    Escape("leaving with abort", "abort 'enough'", "enough"),
    Escape("becoming another program", "exec '/usr/bin/true'", "ended with status 0 before it had a result"),
    Escape("killing itself", "Process.kill(:KILL, $$); sleep", "was ended by signal 9"),
    Escape("a segmentation fault", "Process.kill(:SEGV, $$); sleep", "was ended by signal"),
    Escape(
      "closing its socket", "ObjectSpace.each_object(IO) { |io| io.close unless io.closed? }", "before it had a result"),
    Escape(
      "garbage on its socket",
      "ObjectSpace.each_object(BasicSocket) { |io| next if io.closed?; io.write('nonsense'); io.flush }",
      "something that is not a result"),
    Escape(
      "a forged answer",
      "ObjectSpace.each_object(BasicSocket) { |io| next if io.closed?; io.write('=', [1].pack('N'), 'x', '=', [1].pack('N'), 'x', '.') }; exit!",
      "something that is not a result"),
    Escape(
      "an endless answer",
      "ObjectSpace.each_object(BasicSocket) { |io| next if io.closed?; io.write('=', [2**31].pack('N')); loop { io.write('x' * 65536) } }",
      "larger than the 1000000 bytes"),
    Escape("a huge file", "'x' * 5_000_000", "larger than the 1000000 bytes"),
  ]

  /// System calls by their numbers on x86_64.
  static let calls = [
    Escape("a process by its number", "syscall(57)", "Resource temporarily unavailable"),
    Escape("a file of its own in memory", "syscall(319, 'x', 0)", "Operation not permitted"),
    Escape("a new user namespace", "syscall(272, 0x10000000)", "Operation not permitted"),
    Escape("memory that outlives it", "syscall(29, 1, 4096, 0o1600)", "Operation not permitted"),
    Escape("tracing its worker", "syscall(101, 16, 1, 0, 0)", "Operation not permitted"),
    Escape("a mount", "syscall(165, 'x', '/', 'tmpfs', 0, 0)", "Operation not permitted"),
  ]

  private static let configuration = RendererConfiguration(timeLimit: .seconds(5), outputLimit: 1_000_000)

  @Test("nothing that a template does gets it out, and its error says what stopped it")
  func contained() async throws {
    #if arch(x86_64)
      let escapes = Self.escapes + Self.calls
    #else
      let escapes = Self.escapes
    #endif
    try await withRenderer(Self.configuration) { renderer in
      _ = try await renderer.text(job("first"))
      let worker = await renderer.workerProcesses
      for escape in escapes {
        let message = try await renderer.failure(job("<%= \(escape.code) %>"))
        #expect(message.contains(escape.error) && !message.hasPrefix("no error"), "\(escape.name): \(message)")
        #expect(try await renderer.text(job("fine")) == "fine", "after \(escape.name)")
      }
      let workerAfterwards = await renderer.workerProcesses
      #expect(workerAfterwards == worker)
    }
  }

  @Test(
    "a job that takes too long is stopped, whatever it does",
    arguments: [
      "loop { }", "sleep", "Process.kill(:STOP, $$)", "trap('TERM') { }; loop { sleep 1 }",
      "Process.setproctitle('x'); Regexp.new('(a+)+$').match('a' * 40 + 'b')",
    ])
  func late(_ code: String) async throws {
    try await withRenderer(RendererConfiguration(timeLimit: .seconds(1))) { renderer in
      let message = try await renderer.failure(job("<% \(code) %>"))
      #expect(message == "the templates of the job took longer than the 1.0 seconds that are allowed, and were stopped")
      #expect(try await renderer.text(job("fine")) == "fine")
    }
  }

  @Test("a template sees no environment, no open descriptor but its socket, and is nobody")
  func surroundings() async throws {
    try await withRenderer { renderer in
      let open =
        "(0..63).select { |n| IO.for_fd(n, autoclose: false) rescue nil }.reject { |n| File.identical?(IO.for_fd(n, autoclose: false), '/dev/null') }.count"
      let text = try await renderer.text(
        job(
          "<%= ENV.to_h %> <%= \(open) %> <%= Process.groups %> <%= Process.uid >= 0x74000000 && Process.uid == Process.egid %> "
            + "<%= Dir.children('/').sort %> <%= Dir.children('/dev').sort %> <%= Dir.pwd %>"))
      #expect(text.hasPrefix("{} 1 [] true "), "\(text)")
      #expect(text.hasSuffix(#""renderer.rb", "sbin", "usr"] ["null", "urandom"] /"#), "\(text)")
    }
  }

  @Test("a job finds neither the properties nor the methods of another job, before, beside or in its worker")
  func siblings() async throws {
    let search = """
      <% needle = ['s3cr3t', 'of', 'a'].join('-') -%>
      <% found = ObjectSpace.each_object(String).count { |text| text.include?(needle) && !text.equal?(needle) rescue nil } -%>
      <%= found.positive? %> <%= respond_to?(:helper) %>
      """
    let secret = job(
      "<% def helper = 1 %>" + search, properties: ["password": "s3cr3t-of-a"], name: "a")
    try await withRenderer(RendererConfiguration(concurrency: 2)) { renderer in
      for _ in 1...3 {
        let request = GroupRenderRequest(instanceGroup: "g", jobs: [secret, job(search, name: "b")])
        let texts = try await renderer.render(request).map { String(decoding: $0.files[0].content, as: UTF8.self) }
        #expect(texts == ["true true", "false false"])
      }
    }
  }
}
