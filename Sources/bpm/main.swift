import BPM
import Processes

ProgramStart.run { await BPMProgram.run() }
