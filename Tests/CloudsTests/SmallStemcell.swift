import Clouds
import Formats
import Foundation
import Glibc
import Logging
import Processes
import Surroundings

/// A stemcell image of a few programs of this host: no debootstrap, made in a second. Its init writes a line to the
/// console, runs `/boot` if that is there, and sleeps until it is told to end.
enum SmallStemcell {
  static let programs = [
    "bash", "sh", "cat", "echo", "ip", "ls", "mkdir", "mount", "rm", "sleep", "touch", "sysctl", "head", "grep", "stat",
    "chown", "umount", "unshare", "id", "df", "dd", "sync", "timeout",
  ]

  /// - Parameter extra: paths of further programs.
  static func makeImage(in folder: String, name: String = "image", extra: [String] = []) async throws -> String {
    let script = """
      set -e
      root=$1/$2.root; image=$1/$2; shift 2
      mkdir -p $root/{usr/bin,usr/lib,usr/lib64,sbin,etc,proc,sys,dev,run,tmp,var/vcap/bosh,var/vcap/data,root}
      ln -s usr/bin $root/bin; ln -s usr/lib $root/lib; ln -s usr/lib64 $root/lib64
      for program in "$@" runc tini; do
        path=$(type -P $program) || continue
        cp -L $path $root/usr/bin/
        ldd $path 2>/dev/null | grep -o '/[^ ]*' | while read library; do
          mkdir -p $root$(dirname $library); cp -nL $library $root$library
        done
      done
      printf 'root:x:0:0:root:/root:/bin/sh\\nvcap:x:1000:1000::/home/vcap:/bin/sh\\n' >$root/etc/passwd
      cat >$root/sbin/init <<'INIT'
      #!/bin/sh
      exec /usr/bin/tini -- /bin/sh -c 'trap "echo stopping; exit 0" TERM; echo started
        echo x >>/var/vcap/data/boots; while :; do sleep 1000 & wait $!; done'
      INIT
      chmod 755 $root/sbin/init
      tar -C $root -cf - . | gzip -1 >$image
      rm -rf $root
      """
    try await Command(["bash", "-c", script, "bash", folder, name] + programs + extra).run()
    return "\(folder)/\(name)"
  }
}
