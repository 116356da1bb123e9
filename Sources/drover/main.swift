import CommandLine
import Processes

ProgramStart.run { await Drover.run() }
