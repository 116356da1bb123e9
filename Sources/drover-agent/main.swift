import Agent
import Processes
import Supervision

ProgramStart.useLocalNames()
let arguments = Array(CommandLine.arguments.dropFirst())
// First of all: a runner has no threads, no event loops and no concurrency pool.
if arguments.count == 2, arguments[0] == "runner" { Runner.main(folder: arguments[1]) }
if MonitProgram.isMeant(by: CommandLine.arguments.first ?? "") { MonitProgram.main(arguments) }
if MonitAccess.isMeant(by: CommandLine.arguments.first ?? "") { MonitAccess.main() }
AgentProgram.main(arguments)
