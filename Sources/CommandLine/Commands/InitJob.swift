import ArgumentParser
import Formats
import Linting

struct InitJob: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init-job", abstract: "Make a new job, or a new errand, in a release folder.",
    discussion: """
      Without --exemplar it is the minimum: a spec without anything, an empty monit file and an empty folder \
      templates. With --exemplar it is a job that runs as it is and follows every rule of 'drover lint': ctl script, \
      pre-start, post-start, drain and a configuration file, with a program that stands in for yours. With --errand it \
      is an errand:
      a spec and a script 'execute' that prints its arguments.
      """)
  @Argument(help: "The job's name.") var name: String
  @Option(help: "The release's folder.") var dir = "."
  @Flag(help: "A complete job to change, instead of an empty one.") var exemplar = false
  @Flag(help: "An errand, below errands/, instead of a job.") var errand = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if exemplar, errand { throw ValidationError("--exemplar is a job; expected only one of --exemplar and --errand") }
  }

  func run() throws {
    let job =
      try errand ? JobFiles.errand(name) : exemplar ? JobFiles.exemplar(name) : JobFiles.skeleton(name)
    let written = try job.write(into: absolutePath(dir))
    if json {
      Console.printJSON(["name": .string(name), "files": Value(written)])
    } else {
      Console.print(written.joined(separator: "\n"))
    }
  }
}
