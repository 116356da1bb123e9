import Clouds
import Glibc
import Logging
import Processes
import Surroundings

// Standard output is for the answer alone.
LoggingSystem.bootstrap(StreamLogHandler.standardError)
ProgramStart.run {
  await CPIProgram.run(
    arguments: Array(CommandLine.arguments.dropFirst()), surroundings: .system, logger: Logger(label: "cpi"))
}
