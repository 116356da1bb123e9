extension RuleCase {
  private static func ctl(_ text: String) -> Snippet { Snippet(["bin/ctl": text]) }
  private static func preStart(_ text: String, monit: String? = Snippet.monit) -> Snippet {
    Snippet(["bin/ctl": Snippet.ctl(), "bin/pre-start": Snippet.head + text], monit: monit)
  }
  private static let good = ctl(Snippet.ctl())
  private static let migrates = preStart("mkdir -p /var/vcap/store/web\n/var/vcap/packages/web/bin/migrate\n")

  static let starting: [RuleCase] = [
    .init(
      "start-waits", bad: ctl(Snippet.ctl(start: "until curl -sf http://db/; do sleep 1; done")), good: good,
      at: "jobs/web/templates/bin_ctl:8"),
    .init(
      "readiness", bad: Snippet(["bin/ctl": Snippet.ctl()], spec: "consumes:\n- {name: db, type: db}\n"),
      good: Snippet(
        ["bin/ctl": Snippet.ctl(), "bin/post-start": Snippet.head + "/var/vcap/packages/web/bin/web check\n"],
        spec: "consumes:\n- {name: db, type: db}\n")),
    .init(
      "depends-on",
      bad: Snippet(
        monit: """
          check process a with pidfile /var/vcap/sys/run/web/a.pid
            group vcap
          check process b with pidfile /var/vcap/sys/run/web/b.pid
            depends on a
            group vcap
          """),
      good: Snippet(), at: "jobs/web/monit:4"),
    .init(
      "depends-on-unknown", bad: Snippet(monit: Snippet.monit + "  depends on other\n"), good: Snippet(),
      at: "jobs/web/monit:6"),
    .init(
      "other-jobs-files", bad: ctl(Snippet.ctl(start: "source /var/vcap/jobs/db/bin/env")),
      good: ctl(Snippet.ctl(start: "source /var/vcap/jobs/web/bin/env"))),
    .init(
      "pre-start-tmpfs", bad: preStart("run=/var/vcap/sys/run/web\nmkdir -p $run\n"), good: migrates,
      at: "jobs/web/templates/bin_pre-start:4"),
    .init("pre-start-temporary", bad: preStart("echo x >/tmp/x\n"), good: migrates),
    .init(
      "pre-start-needed", bad: preStart("mkdir -p /var/vcap/data/web/x\nchown vcap /var/vcap/data/web/x\n"),
      good: migrates),
    .init("pre-start-idempotent", bad: preStart("mkdir /var/vcap/store/web\n"), good: migrates),
    .init(
      "pre-start-idempotent", bad: preStart("echo 'a b' >>/etc/web.conf\n"),
      good: preStart("grep -q 'a b' /etc/web.conf || exit 0\necho 'a b' >>/etc/web.conf\n")),
    .init("pre-start-launches", bad: preStart("/var/vcap/packages/web/bin/helper &\n"), good: migrates),
    .init("pidfile-written", bad: ctl("#!/bin/bash\nset -e\nexec /var/vcap/packages/web/bin/web\n"), good: good),
    .init(
      "pidfile-before-exec", bad: ctl(Snippet.ctl(pid: "exec /x", exec: "echo $$ >$pidfile")), good: good),
    .init(
      "exec-process", bad: ctl(Snippet.ctl(pid: "/var/vcap/packages/web/bin/web &", exec: "echo $! >$pidfile")),
      good: good),
    .init("start-quick", bad: ctl(Snippet.ctl(start: "sleep 20")), good: good, at: "jobs/web/templates/bin_ctl:8"),
    .init(
      "start-idempotent", bad: ctl(Snippet.ctl(start: "ln -s /var/vcap/data/web /web")),
      good: ctl(Snippet.ctl(start: "ln -sfn /var/vcap/data/web /web"))),
    .init("start-claims-pidfile", bad: ctl(Snippet.ctl(claim: "")), good: good),
    .init(
      "run-folder", bad: ctl("#!/bin/bash\nset -e\necho $$ >/var/vcap/sys/run/web/web.pid\nexec /x\n"), good: good),
    .init("log-folder", bad: ctl("#!/bin/bash\nset -e\nexec /x >>/var/vcap/sys/log/web/web.log\n"), good: good),
    .init(
      "folders-owner",
      bad: ctl("#!/bin/bash\nset -e\nmkdir -p /var/vcap/sys/log/web\nexec chpst -u vcap /x\n"), good: good),
    .init(
      "pidfile-place", bad: Snippet(monit: "check process web with pidfile /var/run/web.pid\n  group vcap\n"),
      good: Snippet(), at: "jobs/web/monit:1"),
    .init(
      "drop-privileges", bad: ctl(Snippet.ctl(exec: "exec /var/vcap/packages/web/bin/web >>x.log 2>&1")), good: good),
    .init(
      "bpm-privileged",
      bad: Snippet(["config/bpm.yml": "processes:\n- name: web\n  unsafe:\n    privileged: true\n"]),
      good: Snippet(["config/bpm.yml": "processes:\n- name: web\n"]), at: "jobs/web/templates/config_bpm.yml:4"),
    .init(
      "monit-as-uid",
      bad: Snippet(
        monit: """
          check process web with pidfile /var/vcap/sys/run/web/web.pid
            start program "/var/vcap/jobs/web/bin/ctl start" as uid vcap and gid vcap
            group vcap
          """),
      good: Snippet(), at: "jobs/web/monit:2"),
    .init("root-reach", bad: ctl(Snippet.ctl(stop: "pkill -f web")), good: good),
    .init("log-place", bad: ctl(Snippet.ctl(start: "echo hi >>/var/log/web.log")), good: good),
    .init(
      "logs-kept", bad: ctl(Snippet.ctl(exec: "exec chpst -u vcap:vcap /var/vcap/packages/web/bin/web")), good: good),
    .init("logs-appended", bad: ctl(Snippet.ctl(start: "echo hi >/var/vcap/sys/log/web/ctl.log")), good: good),
  ]
}
