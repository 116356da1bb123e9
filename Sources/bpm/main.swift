import BPM
import Processes

ProgramStart.run(atOnce: BPMProgram.answer) { await BPMProgram.run() }
