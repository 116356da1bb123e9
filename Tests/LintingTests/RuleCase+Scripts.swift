extension RuleCase {
  private static func hook(_ name: String, _ text: String, _ monit: String = Snippet.monit) -> Snippet {
    Snippet(["bin/ctl": Snippet.ctl(), "bin/\(name)": Snippet.head + text], monit: monit)
  }
  private static func stop(_ text: String, spec: String = "") -> Snippet {
    Snippet(["bin/ctl": Snippet.ctl(stop: text)], spec: spec)
  }
  private static let polls = hook(
    "post-start", "for i in $(seq 1 9); do curl --max-time 5 http://x && exit 0; done\nexit 1\n")
  private static let drains = hook(
    "drain",
    "exec 3>&1 1>>/var/vcap/sys/log/web/drain.log 2>&1\necho draining\ncurl --max-time 600 http://x\necho 0 >&3\n")
  private static let stops = stop("start-stop-daemon --stop --oknodo --pidfile $pidfile --retry TERM/20/QUIT/1/KILL")

  static let scripts: [RuleCase] = [
    .init(
      "post-start-ends", bad: hook("post-start", "until curl http://x; do sleep 1; done\n"), good: polls,
      at: "jobs/web/templates/bin_post-start:3"),
    .init("post-start-checks", bad: hook("post-start", "sleep 20\n"), good: polls),
    .init("post-start-request-limit", bad: hook("post-start", "curl http://x\n"), good: polls),
    .init(
      "post-deploy-checks", bad: hook("post-deploy", "mkdir -p /var/vcap/data/web/x\n"),
      good: hook("post-deploy", "/var/vcap/packages/web/bin/web check\n")),
    .init(
      "drain-missing",
      bad: Snippet(["bin/ctl": Snippet.ctl()], spec: "provides:\n- {name: web, type: web}\n"),
      good: Snippet(
        ["bin/ctl": Snippet.ctl(), "bin/drain": Snippet.head + "echo 0\n"],
        spec: "provides:\n- {name: web, type: web}\n")),
    .init(
      "drain-ends", bad: hook("drain", "while kill -0 $pid; do\n  sleep 1\ndone\necho 0\n"), good: drains,
      at: "jobs/web/templates/bin_drain:3"),
    .init("drain-request-limit", bad: hook("drain", "curl http://x >/dev/null\necho 0\n"), good: drains),
    .init("drain-number", bad: hook("drain", "curl --max-time 5 http://x\n"), good: drains),
    .init("drain-only-number", bad: hook("drain", "echo draining now\necho 0\n"), good: drains),
    .init(
      "drain-simple", bad: hook("drain", String(repeating: "flush a b\n", count: 70) + "echo 0\n"), good: drains),
    .init(
      "drain-waits-for-other",
      bad: hook("drain", "pid=$(cat /var/vcap/sys/run/db/db.pid)\nkill -0 \"$pid\" || echo 0\n"), good: drains),
    .init("stop-signals", bad: stop("kill -9 $(cat $pidfile) || true"), good: stops),
    .init("stop-kills", bad: stop("kill $(cat $pidfile) || true"), good: stops),
    .init("stop-quick", bad: stop("start-stop-daemon --stop --pidfile $pidfile --retry TERM/60/KILL"), good: stops),
    .init(
      "stop-by-hand",
      bad: stop("for i in $(seq 1 9); do kill -0 $(cat $pidfile) || break; sleep 1; done"), good: stops),
    .init(
      "stop-stacks", bad: stop("start-stop-daemon --stop --retry TERM/20/KILL", spec: "packages: [golang-1]\n"),
      good: stop("start-stop-daemon --stop --retry TERM/20/QUIT/1/KILL", spec: "packages: [golang-1]\n")),
    .init("stop-ended", bad: stop("kill $(cat $pidfile)"), good: stops),
    .init("monit-called", bad: hook("drain", "monit unmonitor web >/dev/null\necho 0\n"), good: drains),
    .init(
      "erb-in-control-scripts", bad: hook("drain", "sleep <%= p('x') %>\necho 0\n"), good: drains,
      at: "jobs/web/templates/bin_drain:3"),
    .init("erb-control-flow", bad: hook("drain", "<% if spec.bootstrap %>\necho 0\n<% end %>\n"), good: drains),
    .init(
      "script-shebang", bad: Snippet(["bin/drain": "echo 0\n"]), good: drains, at: "jobs/web/templates/bin_drain:1"),
    .init("script-strict", bad: Snippet(["bin/drain": "#!/bin/bash\nrm /x\necho 0\n"]), good: drains),
    .init(
      "hook-name", bad: Snippet(["bin/pre_start.sh": Snippet.head + "echo\n"]),
      good: Snippet(["bin/pre-start": Snippet.head + "echo\n"])),
    .init(
      "tee-logger",
      bad: hook("pre-start", "exec > >(tee -a >(logger -t web) | cat >>/var/vcap/sys/log/web/x.log)\n/x\n"),
      good: hook("pre-start", "exec >>/var/vcap/sys/log/web/x.log\n/x\n"), at: "jobs/web/templates/bin_pre-start:3"),
    .init(
      "process-per-line", bad: hook("pre-start", "/x | awk '{ system(\"date\"); print }'\n"),
      good: hook("pre-start", "/x | awk '{ print }'\n")),
    .init(
      "syslog-forwarding", bad: hook("pre-start", "cp x /etc/rsyslog.d/web.conf\n"), good: hook("pre-start", "/x\n")),
  ]
}
