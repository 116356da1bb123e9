import PoolsAPI
import Processes
import Surroundings

ProgramStart.run {
  await BoskosProgram.run(Array(CommandLine.arguments.dropFirst()), surroundings: .system)
}
