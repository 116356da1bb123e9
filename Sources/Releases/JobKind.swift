internal import Formats

/// What a job of a release is.
public enum JobKind: String, Sendable, Hashable, Codable {
  /// What runs on instances; it may have a script that is run as an errand, too.
  case job
  /// An errand that is defined as one, below `errands/`: it has nothing but a script that is run when somebody asks.
  case errand

  /// The folder that holds it, in a release's folder and below `/var/vcap` on a VM.
  public var folder: String { "\(rawValue)s" }
  /// The script that is run as an errand, below its folder on the VM.
  public var script: String { self == .errand ? "execute" : "bin/run" }

  /// The file in a job's archive that says that it is an errand. Archives of errands are archives of jobs otherwise, so
  /// that whoever knows only jobs carries them on.
  public static let errandMark = "errand.MF"
}

extension JobSpec {
  /// Whether it has the script that is run as an errand.
  public func isErrand(as kind: JobKind) -> Bool { templates.contains { $0.destination == kind.script } }

  /// - Throws: ``Formats/DroverError`` with code `invalid` when it is to be an errand and has no script.
  public func check(as kind: JobKind) throws {
    guard kind == .errand, !isErrand(as: kind) else { return }
    throw DroverError(
      .invalid,
      "templates: none of them becomes '\(kind.script)', which is the script that errand '\(name)' runs; expected a line "
        + "such as 'execute.sh: \(kind.script)'")
  }
}
