// What an agent does with scripts, without the agent: the tests start it, kill it and start it again.
//
//   runner-fixture start FOLDER ID COMMAND… starts a script, prints its id and waits for its end
import Formats
import Glibc
import Processes

let arguments = CommandLine.arguments
guard arguments.count > 4, arguments[1] == "start" else { exit(2) }
let runner = ScriptRunner(directory: arguments[2], runnerProgram: "/proc/self/exe")
let script = try await runner.start(
  id: arguments[3], ScriptSpec(Array(arguments.dropFirst(4)), environment: ["PATH": "/usr/bin:/bin"]))
print("started \(script.id)")
fflush(nil)
let ending = try await script.wait()
print("ended \(ending)")
