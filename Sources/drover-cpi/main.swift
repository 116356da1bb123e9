import Clouds
import Glibc
import Logging
import Processes
import Surroundings

ProgramStart.useLocalNames()
// Standard output is for the answer alone.
LoggingSystem.bootstrap(StreamLogHandler.standardError)
exit(
  await CPIProgram.run(
    arguments: Array(CommandLine.arguments.dropFirst()), surroundings: .system, logger: Logger(label: "cpi")))
