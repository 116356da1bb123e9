import Agent
import Processes

ProgramStart.useLocalNames()
let arguments = Array(CommandLine.arguments.dropFirst())
// First of all: a runner has no threads, no event loops and no concurrency pool.
if arguments.count == 2, arguments[0] == "runner" { Runner.main(folder: arguments[1]) }
AgentProgram.main(arguments)
