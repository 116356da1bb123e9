import Director
import Formats
import Pools
import PoolsCommands
import PoolsProtocol
import Releases

extension PoolErrand {
  /// The variables with what a build is told, and the names of those that may have secrets.
  static let leasedVariable = "DROVER_LEASED"
  static let buildType = "DROVER_BUILD_TYPE"
  static let buildContent = "DROVER_BUILD_CONTENT"

  /// Longer values no program can be started with.
  private static let longestValue = 100 << 10

  /// The errand that does work on a resource of a pool.
  ///
  /// - Throws: ``DroverError`` when the work cannot be put into an environment, or is none for an errand.
  init(_ work: PoolWork) throws {
    guard let errand = work.program.errand else {
      throw DroverError(.unsupported, "\(work.resource.name) is worked on by a command, and not by an errand")
    }
    let resource = work.resource
    var environment = PoolErrand.variables(of: LeasedResource(resource), owner: resource.owner)
    let verb: String
    switch work.kind {
    case .clean: verb = "clean"
    case .build(let leased, let construction):
      verb = "build"
      environment.merge(try Self.variables(leased)) { $1 }
      environment[Self.buildType] = try Self.checked(construction.type, "config.type", resource)
      environment[Self.buildContent] = try Self.checked(construction.content, "config.content", resource)
    }
    self.init(
      deployment: errand.deployment, errand: errand.errand,
      subject: "\(verb) \(resource.name) (\(resource.type))", lease: work.lease, arguments: errand.arguments,
      environment: environment, secret: [Self.leasedVariable, Self.buildContent],
      timeoutSeconds: work.program.timeout.map { Self.seconds($0) }, wantsAnswer: verb == "build")
  }

  /// What was leased: all of it as JSON, `{TYPE: [RESOURCE, …]}`, and each by itself, `DROVER_LEASED_TYPE_1_NAME`.
  private static func variables(_ leased: [String: [PooledResource]]) throws -> [String: String] {
    var variables: [String: String] = [:]
    var types = ValueObject()
    for (type, resources) in leased.sorted(by: { $0.key < $1.key }) {
      types[type] = .array(try resources.map { try JSON.parse($0.json) })
      for (index, resource) in resources.enumerated() {
        let prefix = "\(leasedVariable)_\(ErrandLease.variableName(type))_\(index + 1)"
        variables.merge(PoolErrand.variables(of: LeasedResource(resource), owner: resource.owner, prefix: prefix)) {
          $1
        }
      }
    }
    let text = JSON.text(.object(types))
    guard text.utf8.count <= longestValue else {
      throw DroverError(
        .tooLarge,
        "what was leased for it has \(text.utf8.count) bytes as JSON, and at most \(longestValue) can be "
          + "given to an errand; keep less in the resources' user data")
    }
    variables[leasedVariable] = text
    return variables
  }

  private static func checked(_ text: String, _ key: String, _ resource: PooledResource) throws -> String {
    guard text.utf8.count <= longestValue, !text.utf8.contains(0) else {
      throw DroverError(
        .tooLarge,
        "\(key) of type \(resource.type) has \(text.utf8.count) bytes; expected at most \(longestValue), and no "
          + "zero byte, since an errand has it in its environment")
    }
    return text
  }

  /// Whole seconds, at least one.
  private static func seconds(_ duration: Duration) -> Int {
    let (seconds, attoseconds) = duration.components
    return max(1, Int(seconds) + (attoseconds > 0 ? 1 : 0))
  }
}
