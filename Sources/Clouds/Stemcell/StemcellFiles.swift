/// The files of a stemcell that are ours: its init, services, and what the agent reads first.
enum StemcellFiles {
  static let all: [StemcellFile] = [
    StemcellFile(path: "/sbin/init", mode: 0o755, text: initScript),
    StemcellFile(path: "/usr/lib/drover/services", mode: 0o755, text: services),
    StemcellFile(path: "/etc/sv/agent/run", mode: 0o755, text: agent),
    StemcellFile(path: "/etc/sv/agent/log/run", mode: 0o755, text: log("/var/vcap/bosh/log")),
    StemcellFile(path: "/etc/sv/sshd/run", mode: 0o755, text: sshd),
    StemcellFile(path: "/etc/sv/sshd/log/run", mode: 0o755, text: log("/var/log/sshd")),
    StemcellFile(path: "/etc/sv/cron/run", mode: 0o755, text: "#!/bin/sh\nexec 2>&1\nexec /usr/sbin/cron -f\n"),
    StemcellFile(path: "/etc/ssh/sshd_config", mode: 0o600, text: sshdConfiguration),
    StemcellFile(path: "/etc/sudoers.d/bosh_sudoers", mode: 0o440, text: "%bosh_sudoers ALL=(ALL) NOPASSWD: ALL\n"),
    StemcellFile(
      path: "/etc/cron.d/vcap-logrotate",
      text: """
        SHELL=/bin/sh
        PATH=/usr/sbin:/usr/bin:/sbin:/bin
        */15 * * * * root [ ! -f /etc/logrotate.d/vcap ] || logrotate -s /var/lib/logrotate/vcap /etc/logrotate.d/vcap

        """),
    StemcellFile(path: "/var/vcap/bosh/agent.json", text: agentConfiguration),
    StemcellFile(path: "/var/vcap/bosh/etc/operating_system", text: "debian\n"),
  ]

  /// PID 1's first words. With cgroup v2 a group that has processes can't be divided, so ours move into one below.
  private static let initScript = """
    #!/bin/sh
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    export PATH
    umask 022
    mkdir -p /run/lock /run/sshd
    [ -e /var/run ] || ln -s /run /var/run
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
      mkdir -p /sys/fs/cgroup/init &&
        echo 1 >/sys/fs/cgroup/init/cgroup.procs &&
        sed 's/ / +/g; s/^/+/' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
    fi
    exec /usr/bin/tini -- /usr/lib/drover/services

    """

  /// Keeps the services running; told to end, it stops them, gives what else runs a few seconds, and goes.
  private static let services = """
    #!/bin/sh
    finish() {
      trap '' TERM INT
      kill -HUP $runsvdir 2>/dev/null
      kill -TERM -1 2>/dev/null
      kill -CONT -1 2>/dev/null
      rounds=0
      while [ $rounds -lt 100 ]; do
        set -- /proc/[0-9]*
        [ $# -gt 2 ] || break
        rounds=$((rounds + 1))
        sleep 0.05
      done
      exit 0
    }
    trap finish TERM INT
    while :; do
      runsvdir -P /etc/service &
      runsvdir=$!
      wait $runsvdir
      sleep 1 &
      wait $!
    done

    """

  private static let agent = """
    #!/bin/sh
    exec 2>&1
    cd /var/vcap/bosh || exit 1
    export SWIFT_BACKTRACE=enable=no
    export LD_LIBRARY_PATH=/var/vcap/bosh/lib
    exec /var/vcap/bosh/bin/drover-agent -P container -C /var/vcap/bosh/agent.json

    """

  private static func log(_ folder: String) -> String { "#!/bin/sh\nexec svlogd -tt \(folder)\n" }

  /// Host keys belong to one VM, so they are made at its first start.
  private static let sshd = """
    #!/bin/sh
    exec 2>&1
    mkdir -p /run/sshd
    for type in ed25519 ecdsa; do
      key=/etc/ssh/ssh_host_${type}_key
      [ -s $key ] || { rm -f $key $key.pub; ssh-keygen -q -t $type -N '' -C '' -f $key; }
    done
    exec /usr/sbin/sshd -D -e

    """

  private static let sshdConfiguration = """
    HostKey /etc/ssh/ssh_host_ed25519_key
    HostKey /etc/ssh/ssh_host_ecdsa_key
    PermitRootLogin no
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    AllowGroups bosh_sshers
    UsePAM yes
    X11Forwarding no
    PrintMotd no
    ClientAliveInterval 180
    AcceptEnv LANG LC_*
    Subsystem sftp /usr/lib/openssh/sftp-server

    """

  /// Disks are folders that are there already: nothing to partition, nothing to format.
  private static let agentConfiguration = """
    {
      "Platform": {
        "Linux": {
          "UseDefaultTmpDir": true,
          "UsePreformattedPersistentDisk": true,
          "BindMountPersistentDisk": true,
          "SkipDiskSetup": true
        }
      },
      "Infrastructure": {
        "Settings": {
          "Sources": [{"Type": "File", "SettingsPath": "/var/vcap/bosh/user_data.json"}]
        }
      }
    }

    """
}
