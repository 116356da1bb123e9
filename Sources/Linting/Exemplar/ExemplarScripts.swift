/// The files of the exemplar job; `JOB_NAME` stands for its name.
enum ExemplarScripts {
  static let all: [(String, String)] = [
    ("spec", spec), ("monit", monit), ("templates/ctl", ctl), ("templates/serve", serve),
    ("templates/pre-start", preStart), ("templates/post-start", postStart), ("templates/drain", drain),
    ("templates/settings.conf.erb", settings),
  ]

  private static let spec = """
    ---
    name: JOB_NAME
    description: What it does, in a sentence that operators understand.

    templates:
      ctl: bin/ctl
      serve: bin/serve
      pre-start: bin/pre-start
      post-start: bin/post-start
      drain: bin/drain
      settings.conf.erb: config/settings.conf

    # Name the package that has the program here, and let bin/ctl execute it instead of bin/serve.
    packages: []

    properties:
      interval:
        description: Seconds between two lines that the process writes to its log
        default: 10
      drain_seconds:
        description: How many seconds the process goes on with what it has begun after it was told to drain
        default: 2

    """

  private static let monit = """
    check process JOB_NAME
      with pidfile /var/vcap/sys/run/JOB_NAME/JOB_NAME.pid
      start program "/var/vcap/jobs/JOB_NAME/bin/ctl start"
      stop program "/var/vcap/jobs/JOB_NAME/bin/ctl stop"
      group vcap

    """

  private static let ctl = """
    #!/bin/bash
    # Starts and stops JOB_NAME. Runs as root, at every start: also after a reboot, when pre-start does not run, and
    # perhaps although the process runs already. Values come from config/settings.conf, so there is no ERB in here.
    set -eu -o pipefail

    run_dir=/var/vcap/sys/run/JOB_NAME
    log_dir=/var/vcap/sys/log/JOB_NAME
    pidfile=$run_dir/JOB_NAME.pid
    program=/var/vcap/jobs/JOB_NAME/bin/serve

    # A pidfile may be left over, and its number be some other process's by now.
    is_running() {
      local pid
      pid=$(cat "$pidfile" 2>/dev/null) || return 1
      [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && grep -qs "$program" "/proc/$pid/cmdline"
    }

    case "${1:-}" in
      start)
        mkdir -p "$run_dir" "$log_dir"
        chown vcap:vcap "$run_dir" "$log_dir"
        if is_running; then
          echo "JOB_NAME runs already" >>"$log_dir/JOB_NAME.stdout.log"
          exit 0
        fi
        echo $$ >"$pidfile"
        exec chpst -u vcap:vcap "$program" \\
          >>"$log_dir/JOB_NAME.stdout.log" 2>>"$log_dir/JOB_NAME.stderr.log"
        ;;
      stop)
        # 20 seconds to end by itself, a second for its stacks, then it is killed: less than the supervisor's 30.
        start-stop-daemon --stop --oknodo --quiet --pidfile "$pidfile" --retry TERM/20/QUIT/1/KILL/5
        rm -f "$pidfile"
        ;;
      *)
        echo "Usage: $0 start|stop" >&2
        exit 1
        ;;
    esac

    """

  private static let serve = """
    #!/bin/bash
    # Stands in for your program, which a package would bring. It does what a good one does: starts at once, tells
    # whether it is ready, drains on SIGUSR1, and ends soon after SIGTERM.
    set -eu -o pipefail

    # shellcheck source=/dev/null
    . /var/vcap/jobs/JOB_NAME/config/settings.conf
    : "${interval:?}" "${drain_seconds:?}"

    state=/var/vcap/sys/run/JOB_NAME/state
    pause=

    say() { echo "$(date -u +%FT%TZ) $*"; }

    # Behind a load balancer this is where it would report itself unhealthy, and finish the requests that it has.
    drain() {
      say "draining"
      echo draining >"$state"
      sleep "$drain_seconds"
      echo drained >"$state"
      say "drained"
    }

    end() {
      say "ending"
      rm -f "$state"
      [ -z "$pause" ] || kill "$pause" 2>/dev/null || true
      exit 0
    }

    trap drain USR1
    trap end TERM INT

    say "started with pid $$"
    echo ready >"$state"
    while true; do
      say "serving"
      sleep "$interval" &
      pause=$!
      wait "$pause" || true
    done

    """

  private static let preStart = """
    #!/bin/bash
    # Long work on persistent data, once for every version of the release: migrations. Many jobs need no pre-start at
    # all. It must bear to run again, and leave nothing in /var/vcap/sys/run, which is empty after a reboot.
    set -eu -o pipefail

    store=/var/vcap/store/JOB_NAME
    version=$store/version
    wanted=1

    mkdir -p "$store"
    chown vcap:vcap "$store"

    have=$(cat "$version" 2>/dev/null || echo 0)
    if [ "$have" -lt "$wanted" ]; then
      echo "migrating $store from version $have to $wanted"
      # Your migration goes here. The new version is on record only when all of it is done.
      echo "$wanted" >"$version.new"
      mv "$version.new" "$version"
    fi
    echo "$store is at version $(cat "$version")"

    """

  private static let postStart = """
    #!/bin/bash
    # The job counts as started when this exits with 0: it asks the process whether it is ready, for a limited time.
    set -eu -o pipefail

    state=/var/vcap/sys/run/JOB_NAME/state

    for try in $(seq 1 60); do
      if [ "$(cat "$state" 2>/dev/null)" = ready ]; then
        echo "JOB_NAME was ready at try $try"
        exit 0
      fi
      sleep 1
    done
    echo "JOB_NAME was not ready within 60 seconds; see /var/vcap/sys/log/JOB_NAME" >&2
    exit 1

    """

  private static let drain = """
    #!/bin/bash
    # Tells the process to finish what it has begun, and waits until it has, for 10 minutes at most. Only the number at
    # the end may go to the standard output: how many seconds to wait before the stop.
    set -eu -o pipefail
    exec 3>&1 1>>/var/vcap/sys/log/JOB_NAME/drain.stdout.log 2>>/var/vcap/sys/log/JOB_NAME/drain.stderr.log
    trap 'echo 0 >&3' EXIT

    run_dir=/var/vcap/sys/run/JOB_NAME

    echo "$(date -u +%FT%TZ) draining for: $*"
    pid=$(cat "$run_dir/JOB_NAME.pid" 2>/dev/null || true)
    if [ -z "$pid" ] || ! kill -USR1 "$pid" 2>/dev/null; then
      echo "$(date -u +%FT%TZ) nothing runs"
      exit 0
    fi
    for _ in $(seq 1 600); do
      kill -0 "$pid" 2>/dev/null || break
      [ "$(cat "$run_dir/state" 2>/dev/null)" != drained ] || break
      sleep 1
    done
    echo "$(date -u +%FT%TZ) drained"

    """

  private static let settings = """
    interval=<%= p('interval').to_i %>
    drain_seconds=<%= p('drain_seconds').to_i %>

    """
}
