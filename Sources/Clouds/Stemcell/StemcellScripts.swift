/// The shell of building a stemcell. Each script runs in a mount namespace of its own, so that what it mounts is gone
/// with it, however it ends. Arguments: the root file system, and what each names.
enum StemcellScripts {
  /// $1 root, $2 suite, $3 mirror.
  static let bootstrap = """
    set -eu
    debootstrap --variant=minbase "$2" "$1" "$3" >&2
    """

  /// $1 root, $2 sources of apt, $3 apt's configuration for the build; the rest: packages.
  ///
  /// Documentation is left out as packages are unpacked. The keyrings are those of this machine, shown and not copied.
  static let packages = """
    set -eu
    root=$1; sources=$2; configuration=$3; shift 3
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C
    mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
    cat >"$root/etc/dpkg/dpkg.cfg.d/drover" <<'END'
    path-exclude=/usr/share/doc/*
    path-include=/usr/share/doc/*/copyright
    path-exclude=/usr/share/man/*
    path-exclude=/usr/share/info/*
    path-exclude=/usr/share/lintian/*
    path-exclude=/usr/share/locale/*
    END
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/build"
    printf '%s\\n' "$sources" >"$root/etc/apt/sources.list"
    printf '%s\\n' "$configuration" >"$root/etc/apt/apt.conf.d/99build"
    printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    mount --bind /proc "$root/proc"
    for file in /etc/resolv.conf /etc/hosts; do
      touch "$root$file"
      mount --bind "$(readlink -f "$file")" "$root$file"
    done
    for folder in /etc/apt/trusted.gpg.d /etc/apt/keyrings /etc/apt/auth.conf.d /usr/share/keyrings; do
      if [ -d "$folder" ] && [ -d "$root$folder" ]; then mount --bind "$folder" "$root$folder"; fi
    done
    chroot "$root" apt-get update -qq >&2
    chroot "$root" apt-get install -y -qq --no-install-recommends -o APT::Sandbox::User=root "$@" >&2
    chroot "$root" dpkg-query -W -f '${Package} ${Version}\\n'
    """

  /// $1 root.
  static let configure = """
    set -eu
    root=$1
    inside() { chroot "$root" "$@"; }
    for group in admin bosh_sshers bosh_sudoers; do inside groupadd --force --system "$group"; done
    inside groupadd --gid 1000 vcap
    inside useradd --uid 1000 --gid vcap --create-home --shell /bin/bash \\
      --groups admin,adm,audio,cdrom,dialout,floppy,video,dip,bosh_sshers vcap
    inside passwd --quiet --lock root
    inside localedef -i en_US -f UTF-8 en_US.UTF-8
    ln -sfn /usr/share/zoneinfo/UTC "$root/etc/localtime"

    mkdir -p "$root/etc/service" "$root/var/log/sshd" "$root/var/vcap"
    rm -rf "$root"/etc/service/* "$root"/etc/runit/runsvdir/default/*
    for service in agent sshd cron; do
      ln -s "/etc/sv/$service" "$root/etc/service/$service"
      # A folder that lives on is not for a lower layer: runit keeps its pipes there.
      for place in "" /log; do
        if [ -d "$root/etc/sv/$service$place" ]; then
          ln -sfn "/run/runit.$service$(echo $place | tr / .)" "$root/etc/sv/$service$place/supervise"
        fi
      done
    done
    rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id"
    : >"$root/etc/machine-id"

    install -d -m 0755 "$root"/var/vcap/bosh "$root"/var/vcap/bosh/bin "$root"/var/vcap/bosh/lib \\
      "$root"/var/vcap/bosh/etc "$root"/var/vcap/data "$root"/var/vcap/instance
    install -d -m 0700 "$root"/var/vcap/bosh/log "$root"/var/vcap/monit "$root"/var/vcap/monit/job
    # What `remove_dev_tools` and `remove_static_libraries` of a VM's env take away.
    inside dpkg -L binutils binutils-x86-64-linux-gnu bison build-essential cmake cpp cpp-12 dpkg-dev flex g++ g++-12 gcc \\
      gcc-12 libtool make patch 2>/dev/null | sort -u | while read -r file; do
      [ ! -f "$root$file" ] || echo "$file"
    done | grep -v -e /copyright -e changelog >"$root/var/vcap/bosh/etc/dev_tools_file_list"
    (cd "$root" && find usr/lib -name '*.a' | sort | sed 's,^,/,') >"$root/var/vcap/bosh/etc/static_libraries_list"

    rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/dpkg/dpkg.cfg.d/build" "$root/etc/apt/apt.conf.d/99build"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old "$root"/var/log/apt
    rm -rf "$root"/var/log/dpkg.log "$root"/var/log/bootstrap.log "$root"/var/log/alternatives.log "$root"/tmp/*
    rm -rf "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/lintian "$root"/usr/share/locale/*
    rm -rf "$root"/var/lib/dpkg/*-old "$root"/usr/share/i18n
    find "$root/usr/share/doc" -type f ! -name copyright -delete
    find "$root" -xdev -name __pycache__ -prune -exec rm -rf {} +
    : >"$root/etc/resolv.conf"
    printf '127.0.0.1 localhost\\n' >"$root/etc/hosts"
    """

  /// $1 root, $2 the archive to make, $3 the list of shared libraries in it.
  ///
  /// The two blocks of zeros that end a tar archive are cut off: the agent's layer is put behind it, and gzip members
  /// one after the other are one gzip file.
  static let pack = """
    set -eu
    (cd "$1" && find . -xdev -name '*.so*' -printf '%f\\n' | sort -u) >"$3"
    if command -v pigz >/dev/null; then gzip="pigz -1"; else gzip="gzip -1"; fi
    tar -C "$1" --create --blocking-factor 1 --numeric-owner --xattrs --xattrs-include='*' --sort=name \\
      --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --exclude='./run/*' . | head -c -1024 | $gzip >"$2"
    """
}
