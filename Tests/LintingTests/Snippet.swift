import Linting
import Releases

/// A small release for a test of a rule.
struct Snippet: Sendable {
  static let monit = """
    check process web
      with pidfile /var/vcap/sys/run/web/web.pid
      start program "/var/vcap/jobs/web/bin/ctl start"
      stop program "/var/vcap/jobs/web/bin/ctl stop"
      group vcap

    """

  /// A control script with this in its start, before the process is executed, and this as its stop.
  static func ctl(
    start: String = "", claim: String = "kill -0 \"$(cat $pidfile)\" 2>/dev/null && exit 0",
    pid: String = "echo $$ >$pidfile", exec: String? = nil,
    stop: String = "start-stop-daemon --stop --oknodo --pidfile $pidfile --retry TERM/20/KILL"
  ) -> String {
    """
    #!/bin/bash
    set -eu
    pidfile=/var/vcap/sys/run/web/web.pid
    case $1 in
      start)
        mkdir -p /var/vcap/sys/run/web /var/vcap/sys/log/web
        chown vcap:vcap /var/vcap/sys/run/web /var/vcap/sys/log/web
        \(start)
        \(claim)
        \(pid)
        \(exec ?? "exec chpst -u vcap:vcap /var/vcap/packages/web/bin/web "
          + ">>/var/vcap/sys/log/web/web.stdout.log 2>>/var/vcap/sys/log/web/web.stderr.log")
        ;;
      stop)
        \(stop)
        ;;
    esac

    """
  }

  static let head = "#!/bin/bash\nset -eu\n"

  let release: LintedRelease

  /// - Parameters:
  ///   - templates: Texts by their destinations.
  ///   - spec: Further lines of the spec.
  init(
    _ templates: [String: String] = [:], monit: String? = Snippet.monit, spec: String = "", wholeSpec: String? = nil,
    unlisted: [String: String] = [:], packages: [String: String] = ["web": "set -e\nmake\n"],
    manifests: [String: String] = [:], kind: JobKind = .job, besides: [LintedJob] = []
  ) {
    func source(_ destination: String) -> String {
      destination.split(separator: "/").joined(separator: "_")
    }
    let destinations = templates.keys.sorted()
    let lines = destinations.map { "  \(source($0)): \($0)\n" }.joined()
    let written = wholeSpec ?? "name: web\ntemplates:\n\(lines.isEmpty ? "  {}\n" : lines)\(spec)"
    var sources: [String: SourceText] = [:]
    for destination in destinations {
      let name = source(destination)
      sources[name] = SourceText(path: "\(kind.folder)/web/templates/\(name)", text: templates[destination] ?? "")
    }
    for (name, text) in unlisted {
      sources[name] = SourceText(path: "\(kind.folder)/web/templates/\(name)", text: text)
    }
    let job = LintedJob(
      name: "web", kind: kind, spec: SourceText(path: "\(kind.folder)/web/spec", text: written),
      monit: monit.map { SourceText(path: "\(kind.folder)/web/monit", text: $0) }, templates: sources)
    release = LintedRelease(
      jobs: [job] + besides,
      packages: packages.map {
        LintedPackage(name: $0.key, packaging: SourceText(path: "packages/\($0.key)/packaging", text: $0.value))
      },
      manifests: manifests.map { SourceText(path: $0.key, text: $0.value) })
  }

  func findings(_ rule: String) -> [LintFinding] {
    Linter().report(release, shellCheck: .notRun("this is a test")).findings.filter { $0.rule == rule }
  }
}
