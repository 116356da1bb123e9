import Digests
import Formats

/// What goes into the root file system of a stemcell, the agent excepted. Its digest names the cached layer.
struct StemcellRecipe: Sendable, Hashable {
  var suite = "bookworm"
  /// What packaging scripts, jobs, the agent and people on the VM expect.
  var packages = [
    "adduser", "autoconf", "automake", "bash", "bind9-host", "bison", "build-essential", "bzip2", "ca-certificates",
    "cmake", "coreutils", "cron", "curl", "dpkg-dev", "file", "flex", "gettext-base", "iproute2", "iputils-ping", "jq",
    "less", "libpcre2-dev", "libreadline-dev", "libssl-dev", "libtool", "libyaml-0-2", "locales", "logrotate", "lsof",
    "netbase", "netcat-openbsd", "nftables", "openssh-server", "openssl", "patch", "perl", "pkg-config", "procps",
    "psmisc", "python3-minimal", "rsync", "runc", "runit", "sudo", "tini", "tzdata", "unzip", "vim-tiny", "xz-utils",
    "zip", "zlib1g-dev",
  ]
  var files = StemcellFiles.all
  var script = StemcellScripts.configure

  /// Changes when anything that matters for the result does.
  var digest: String {
    var text = "3\n\(suite)\n\(packages.sorted())\n\(script)\n\(StemcellScripts.packages)\n\(StemcellScripts.pack)\n"
    for file in files { text += "\(file.path) \(file.mode)\n\(file.text)\n" }
    return DigestHasher.hex(.sha256, text)
  }
}

/// A file that is written into the stemcell as it is.
struct StemcellFile: Sendable, Hashable {
  var path: String
  var mode: UInt32 = 0o644
  var text: String
}
