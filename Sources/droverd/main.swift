import ArgumentParser
import Processes

ProgramStart.run {
  await Droverd.main()
  return 0
}
