import Agent
import Processes
import Supervision

ProgramStart.useLocalNames()
let arguments = Array(CommandLine.arguments.dropFirst())
if MonitProgram.isMeant(by: CommandLine.arguments.first ?? "") { MonitProgram.main(arguments) }
if MonitAccess.isMeant(by: CommandLine.arguments.first ?? "") { MonitAccess.main() }
AgentProgram.main(arguments)
