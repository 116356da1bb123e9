import CommandLine

await Drover.run()
