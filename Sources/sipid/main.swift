import Glibc
import Processes
import Surroundings

// Usage and failures go to standard error; success says nothing (reference/lifecycle.md 2).
func say(_ text: String) {
  let bytes = Array(text.utf8)
  _ = write(STDERR_FILENO, bytes, bytes.count)
}

func fail(_ what: String, _ error: any Error) -> Int32 {
  var (now, parts) = (time(nil), tm())
  localtime_r(&now, &parts)
  var stamp = [CChar](repeating: 0, count: 32)
  strftime(&stamp, stamp.count, "%Y/%m/%d %H:%M:%S", &parts)
  let moment = String(decoding: stamp.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  say("\(moment) \(what) failed: \(error)\n")
  return 1
}

func run(_ what: String, _ work: () throws -> Void) -> Int32 {
  do {
    try work()
    return 0
  } catch {
    return fail(what, error)
  }
}

ProgramStart.useLocalNames()
do {
  let program = CommandLine.arguments.first ?? "sipid"
  switch try SipidOrder(Array(CommandLine.arguments.dropFirst()), program: program) {
  case .claim(let pid, let pidfile): exit(run("claim") { try Sipid.claim(pid, pidfile) })
  case .kill(let pidfile, let showsStacks):
    exit(run("kill") { try Sipid.kill(pidfile, showsStacks: showsStacks) })
  case .waitUntilHealthy(let url, let timeout, let frequency):
    ProgramStart.run {
      do {
        let question = HealthQuestion(environment: Environment.current())
        try await HealthPoll(url: url, timeout: timeout, frequency: frequency).run(question.isHealthy)
        return 0
      } catch {
        return fail("poll", error)
      }
    }
  }
} catch {
  say(error.text)
  exit(error.code)
}
