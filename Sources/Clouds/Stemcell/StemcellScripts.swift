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

  /// $1 root, $2 a folder with files to put into it.
  ///
  /// All of it runs inside the new system: Debian has absolute links (/etc/service is one), and followed from outside
  /// they would lead to this machine's own files.
  static let configure = """
    set -eu
    tar -C "$2" --create --owner 0 --group 0 . |
      chroot "$1" tar -C / --extract --keep-directory-symlink --no-overwrite-dir --preserve-permissions
    chroot "$1" bash -eu -o pipefail <<'END'
    for group in admin bosh_sshers bosh_sudoers; do groupadd --force --system "$group"; done
    groupadd --gid 1000 vcap
    useradd --uid 1000 --gid vcap --create-home --shell /bin/bash \\
      --groups admin,adm,audio,cdrom,dialout,floppy,video,dip,bosh_sshers vcap
    passwd --quiet --lock root
    localedef -i en_US -f UTF-8 en_US.UTF-8
    ln -sfn /usr/share/zoneinfo/UTC /etc/localtime
    mkdir -p /var/log/sshd

    # A folder that lives on is not for a lower layer: runit keeps its pipes there.
    rm -rf /etc/service
    mkdir /etc/service
    for service in agent sshd cron; do
      ln -s "/etc/sv/$service" "/etc/service/$service"
      ln -sfn "/run/runit.$service" "/etc/sv/$service/supervise"
      if [ -d "/etc/sv/$service/log" ]; then ln -sfn "/run/runit.$service.log" "/etc/sv/$service/log/supervise"; fi
    done
    rm -f /etc/ssh/ssh_host_*
    # Kernel settings are the host's, so those of packages cannot be applied, and `sysctl --system` would fail on them.
    rm -f /usr/lib/sysctl.d/*.conf
    : >/etc/machine-id

    install -d -m 0755 /var/vcap /var/vcap/bosh /var/vcap/bosh/bin /var/vcap/bosh/lib /var/vcap/bosh/etc \\
      /var/vcap/data /var/vcap/instance
    install -d -m 0700 /var/vcap/bosh/log /var/vcap/monit /var/vcap/monit/job
    # What `remove_dev_tools` and `remove_static_libraries` of a VM's env take away.
    { dpkg -L binutils bison build-essential cmake cpp cpp-12 dpkg-dev flex g++ g++-12 gcc gcc-12 libtool make patch ||
      true; } | sort -u | while read -r file; do
      [ ! -f "$file" ] || echo "$file"
    done | grep -v -e /copyright -e changelog >/var/vcap/bosh/etc/dev_tools_file_list
    find /usr/lib -name '*.a' | sort >/var/vcap/bosh/etc/static_libraries_list

    rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/build /etc/apt/apt.conf.d/99build
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/apt
    rm -rf /var/log/dpkg.log /var/log/bootstrap.log /var/log/alternatives.log /tmp/*
    rm -rf /usr/share/man/* /usr/share/info/* /usr/share/lintian /usr/share/locale/* /usr/share/i18n
    find /usr/share/doc -type f ! -name copyright -delete
    find / -xdev -name __pycache__ -prune -exec rm -rf {} +
    rm -f /etc/resolv.conf
    : >/etc/resolv.conf
    printf '127.0.0.1 localhost\\n' >/etc/hosts
    END
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
