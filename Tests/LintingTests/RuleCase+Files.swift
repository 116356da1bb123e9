import Linting
import Releases

extension RuleCase {
  private static func monit(_ more: String) -> Snippet {
    Snippet(["bin/ctl": Snippet.ctl()], monit: Snippet.monit + more)
  }
  private static let good = monit("")
  private static func spec(_ more: String, _ config: String = "") -> Snippet {
    Snippet(["config/web.conf": config], spec: more)
  }
  private static func errand(
    _ templates: [String: String], monit: String? = nil, besides: [String] = []
  ) -> Snippet {
    let jobs = besides.map { name in
      LintedJob(
        name: name, spec: SourceText(path: "jobs/\(name)/spec", text: "name: \(name)"), monit: nil, templates: [:])
    }
    return Snippet(templates, monit: monit, kind: .errand, besides: jobs)
  }
  private static let port = "properties:\n  port: {description: A port}\n"
  private static let db = "consumes:\n- {name: db, type: db}\n"

  static let files: [RuleCase] = [
    .init("erb-in-monit", bad: monit("<% if true %>\n<% end %>"), good: good, at: "jobs/web/monit:6"),
    .init(
      "erb-complex", bad: spec("", "<%\n\(String(repeating: "a = 1\n", count: 50))%>"), good: spec("", "<% a = 1 %>")),
    .init(
      "property-undeclared", bad: spec(port, "\n<%= p('prot') %>"),
      good: spec(port, "<%= p('port') %> <% if_link('x') { |l| l.p('other') } %> <%= p(\"a.#{b}\") %>"),
      at: "jobs/web/templates/config_web.conf:2"),
    .init("link-undeclared", bad: spec("", "<%= link('db').p('x') %>"), good: spec(db, "<%= link('db').p('x') %>")),
    .init(
      "link-optional", bad: spec("consumes:\n- {name: db, type: db, optional: true}\n", "<%= link('db').p('x') %>"),
      good: spec("consumes:\n- {name: db, type: db, optional: true}\n", "<% if_link('db') { |l| } %>")),
    .init(
      "errand-execute", bad: errand(["bin/run": "#!/bin/sh\n"]), good: errand(["execute": "#!/bin/sh\n"]),
      at: "errands/web/spec:2"),
    .init(
      "errand-lifecycle", bad: errand(["execute": "", "bin/pre-start": ""]),
      good: errand(["execute": "", "bin/run": ""]),
      at: "errands/web/templates/bin_pre-start:1"),
    .init(
      "errand-lifecycle", bad: errand(["execute": ""], monit: Snippet.monit), good: errand(["execute": ""], monit: "")),
    .init(
      "errand-paths", bad: errand(["execute": "#!/bin/sh\n. /var/vcap/jobs/web/config/a\n"]),
      good: errand(["execute": "#!/bin/sh\n. /var/vcap/errands/web/config/a; ls /var/vcap/jobs/other/\n"]),
      at: "errands/web/templates/execute:2"),
    .init(
      "errand-name", bad: errand(["execute": ""], besides: ["web"]), good: errand(["execute": ""], besides: ["other"]),
      at: "errands/web/spec:1"),
    .init("monit-missing", bad: Snippet(monit: nil), good: errand(["execute": ""])),
    .init("monit-missing", bad: Snippet(monit: nil), good: Snippet(monit: "")),
    .init("monit-parses", bad: monit("  grupp vcap\n"), good: good, at: "jobs/web/monit:6"),
    .init(
      "monit-group", bad: Snippet(monit: "check process web with pidfile /var/vcap/sys/run/web/web.pid\n"), good: good),
    .init(
      "monit-programs", bad: Snippet(monit: "check process web with pidfile /var/vcap/sys/run/web/web.pid\n"),
      good: good),
    .init("monit-script-missing", bad: Snippet(), good: good, at: "jobs/web/monit:3"),
    .init(
      "monit-memory", bad: monit("  if totalmem > 90% then alert\n"), good: good, at: "jobs/web/monit:6"),
    .init(
      "monit-timeout",
      bad: Snippet(
        monit: """
          check process web with pidfile /var/vcap/sys/run/web/web.pid
            start program "/var/vcap/jobs/web/bin/ctl start"
            stop program "/var/vcap/jobs/web/bin/ctl stop" with timeout 60 seconds
            group vcap
          """),
      good: good, at: "jobs/web/monit:3"),
    .init("monit-simple", bad: monit("  if failed port 80 then restart\n"), good: good),
    .init(
      "metron-syslog", bad: spec("properties:\n  metron_agent.syslog: {description: x}\n"),
      good: spec("properties:\n  metron_agent.zone: {description: x}\n")),
    .init(
      "manifest-syslog", bad: Snippet(manifests: ["manifests/web.yml": "instance_groups: []\n"]),
      good: Snippet(manifests: [
        "manifests/web.yml": "instance_groups: []\n", "operations/syslog.yml": "- type: replace\n",
      ])),
    .init("spec-valid", bad: Snippet(wholeSpec: "name: other\n"), good: Snippet()),
    .init("spec-valid", bad: Snippet(wholeSpec: "name: [\n"), good: Snippet()),
    .init(
      "template-missing", bad: Snippet(wholeSpec: "name: web\ntemplates:\n  x: bin/x\n"), good: good,
      at: "jobs/web/spec:3"),
    .init("template-unlisted", bad: Snippet(unlisted: ["old": "x"]), good: good),
    .init("property-unused", bad: spec(port), good: spec(port, "<%= p('port') %>"), at: "jobs/web/spec:5"),
    .init("property-description", bad: spec("properties:\n  port: {}\n"), good: spec(port)),
    .init("link-unused", bad: spec(db), good: spec(db, "<%= link('db').p('x') %>")),
    .init(
      "link-properties", bad: spec("provides:\n- {name: web, type: web, properties: [prot]}\n" + port),
      good: spec("provides:\n- {name: web, type: web, properties: [port]}\n" + port)),
    .init("package-missing", bad: spec("packages: [nope]\n"), good: spec("packages: [web]\n")),
    .init(
      "packaging-strict", bad: Snippet(packages: ["web": "#!/bin/bash -e\nmake\nmake install\n"]),
      good: Snippet(packages: ["web": "set -e\nmake\nmake install\n"])),
    .init(
      "packaging-network", bad: Snippet(packages: ["web": "set -e\ncurl -O https://x/y\n"]), good: Snippet(),
      at: "packages/web/packaging:2"),
  ]
}
