internal import Formats
public import Releases
internal import Supervision

/// A job or an errand of a release, with everything that rules look at.
public struct LintedJob: Sendable {
  /// Scripts that BOSH runs by their names.
  static let hooks = ["pre-start", "post-start", "post-deploy", "pre-stop", "drain", "post-stop", "run"]

  public let name: String
  public let kind: JobKind
  let specSource: SourceText
  /// Nil when it cannot be read; then there is an error.
  let spec: JobSpec?
  let specError: String?
  let monit: SourceText?
  let monitERB: ERBText
  let services: [ServiceDefinition]
  let monitError: String?
  let templates: [LintedTemplate]
  /// Sources that the spec names and that are not there.
  let missingTemplates: [String]
  /// Files below `templates/` that the spec does not name.
  let unlistedTemplates: [String]

  /// - Parameters:
  ///   - templates: Every file below `templates/`, by its path there.
  public init(
    name: String, kind: JobKind = .job, spec specSource: SourceText, monit: SourceText?,
    templates: [String: SourceText]
  ) {
    self.name = name
    self.kind = kind
    self.specSource = specSource
    self.monit = monit
    var spec: JobSpec?
    var specError: String?
    do {
      spec = try JobSpec(Array(specSource.text.utf8), file: specSource.path)
    } catch {
      specError = "\(error)"
    }
    self.spec = spec
    self.specError = specError
    let listed = spec?.templates ?? []
    self.templates = listed.compactMap { template in
      templates[template.source].map { LintedTemplate(source: $0, destination: template.destination) }
    }
    missingTemplates = listed.map(\.source).filter { templates[$0] == nil }
    unlistedTemplates = templates.keys.filter { source in !listed.contains { $0.source == source } }.sorted()
    monitERB = ERBText(monit?.text ?? "")
    (services, monitError) = Self.services(monit, monitERB)
  }

  /// A control file with ERB is read with a number or a path in the place of every value. Where ERB decides what is there
  /// at all, an error says nothing, so none is kept.
  private static func services(_ monit: SourceText?, _ erb: ERBText) -> ([ServiceDefinition], String?) {
    guard let monit, monit.text.first(where: { !$0.isWhitespace }) != "{" else { return ([], nil) }
    var failure: String?
    for value in erb.isPlain ? [""] : ["1", "/erb", "erb"] {
      do {
        return (try ControlFile.parse(erb.masked(value: value), file: monit.path), nil)
      } catch {
        failure = failure ?? "\(error)"
      }
    }
    return ([], erb.isPlain ? failure : nil)
  }

  // MARK: Scripts by what they are for

  func template(_ destination: String) -> LintedTemplate? { templates.first { $0.destination == destination } }

  /// A script that BOSH runs by its name. An errand has only the one that it runs.
  func hook(_ name: String) -> LintedTemplate? {
    guard kind == .errand else { return template("bin/\(name)") }
    return name == "run" ? template(kind.script) : nil
  }

  /// Whether it is the script that is run as an errand.
  func isErrandScript(_ template: LintedTemplate) -> Bool { template.destination == kind.script }

  /// A script of this job that a service is started or stopped by, and what it runs then.
  struct Control: Sendable {
    let service: ServiceDefinition
    let program: ServiceProgram
    let template: LintedTemplate
    let script: ShellScript
    let commands: [ShellCommand]

    func place(_ message: String, _ command: ShellCommand) -> LintPlace { template.place(message, line: command.line) }
  }

  var starts: [Control] { controls { $0.start } }
  var stops: [Control] { controls { $0.stop } }

  private func controls(_ program: (ServiceDefinition) -> ServiceProgram?) -> [Control] {
    var seen: Set<String> = []
    return services.compactMap { service in
      guard let program = program(service), let path = program.arguments.first else { return nil }
      let prefix = "/var/vcap/jobs/\(name)/"
      guard path.hasPrefix(prefix), let template = template(String(path.dropFirst(prefix.count))),
        let script = template.script, seen.insert(program.arguments.joined(separator: " ")).inserted
      else { return nil }
      let action = program.arguments.dropFirst().first { script.commands(for: $0).count < script.commands.count }
      return Control(
        service: service, program: program, template: template, script: script, commands: script.commands(for: action))
    }
  }

  /// Scripts that decide how the job starts and stops: those that BOSH or the supervisor runs.
  var controlScripts: [LintedTemplate] {
    var chosen = Self.hooks.compactMap { hook($0) }
    for control in starts + stops where !chosen.contains(where: { $0.destination == control.template.destination }) {
      chosen.append(control.template)
    }
    return chosen.filter { $0.script != nil }
  }

  var scripts: [LintedTemplate] { templates.filter(\.isScript) }

  func isBPM(_ service: ServiceDefinition) -> Bool { service.start?.arguments.first?.hasSuffix("/bpm") ?? false }

  var usesBPM: Bool { services.contains(where: isBPM) || template("config/bpm.yml") != nil }

  var processes: [ServiceDefinition] { services.filter(\.kind.isProcess) }

  /// The line of the control file that a service begins at.
  func line(of service: ServiceDefinition) -> Int {
    Int(service.place.split(separator: " ").last ?? "") ?? 1
  }

  func monitPlace(_ message: String, line: Int) -> LintPlace {
    LintPlace(file: monit?.path ?? specSource.path, line: line, message: message)
  }

  /// The line of a statement of a service, such as `start`.
  func line(of keyword: String, in service: ServiceDefinition) -> Int {
    let first = line(of: service)
    for (index, line) in (monit?.lines ?? []).enumerated().dropFirst(first - 1) {
      let words = line.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
      if words.first == "check", index >= first { break }
      if words.contains(keyword) { return index + 1 }
    }
    return first
  }
}

extension ServiceDefinition {
  var pidfile: String? { if case .process(let path) = kind { path } else { nil } }
}
