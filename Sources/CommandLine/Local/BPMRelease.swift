import Files
import Formats
import Glibc
import ReleaseFiles

/// The folder of a release named bpm with a job named bpm, as deployments expect them.
struct BPMRelease: Sendable {
  let bpm: String
  let runc: String
  let tini: String

  /// Writes the folder.
  ///
  /// - Throws: ``DroverError`` when a program is missing, or bpm needs shared libraries, which VMs may not have.
  func write(to folder: String) throws -> ReleaseFolder {
    let program = try Files.read(bpm, limit: 256 << 20)
    if Self.needsLoader(program) {
      throw DroverError(
        .invalid, "\(bpm) needs shared libraries; give --bpm a static one, as 'make release' builds")
    }
    try put("\(folder)/src/bpm/bpm", program, 0o755)
    try put("\(folder)/src/bpm/runc", try Files.read(runc, limit: 256 << 20), 0o755)
    try put("\(folder)/src/bpm/tini", try Files.read(tini, limit: 256 << 20), 0o755)
    for (path, text) in Self.texts { try put("\(folder)/\(path)", Array(text.utf8), 0o644) }
    return try ReleaseFolder(folder)
  }

  private func put(_ path: String, _ bytes: [UInt8], _ mode: UInt32) throws {
    guard let slash = path.lastIndex(of: "/") else { return }
    try Files.makeFolder(String(path[..<slash]))
    _ = try Files.create(path, with: bytes, mode: mode)
  }

  /// Whether an ELF file names a loader (program header PT_INTERP), or is no ELF file of 64 bits at all.
  static func needsLoader(_ bytes: [UInt8]) -> Bool {
    func number(_ offset: Int, _ width: Int) -> Int {
      guard offset >= 0, offset + width <= bytes.count else { return 0 }
      return (0..<width).reduce(0) { $0 | Int(truncatingIfNeeded: UInt64(bytes[offset + $1]) << UInt64(8 * $1)) }
    }
    guard bytes.count > 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2]) else { return true }
    let table = number(32, 8)
    let size = number(54, 2)
    return (0..<number(56, 2)).contains { number(table + $0 * size, 4) == 3 }
  }

  static let texts: [(path: String, text: String)] = [
    ("config/final.yml", "name: bpm\n"),
    (
      "jobs/bpm/spec",
      """
      ---
      name: bpm
      templates:
        bpm: bin/bpm
        pre-start: bin/pre-start
        setup: bin/setup
      packages:
      - bpm
      properties: {}

      """
    ),
    ("jobs/bpm/monit", ""),
    (
      "jobs/bpm/templates/bpm",
      """
      #!/bin/bash
      # Processes inherit this limit. Some machines allow less; then they get what there is.
      ulimit -n 524288 2>/dev/null || ulimit -n "$(ulimit -Hn)"
      exec /var/vcap/packages/bpm/bin/bpm "$@"

      """
    ),
    (
      "jobs/bpm/templates/pre-start",
      """
      #!/bin/bash
      set -e
      mkdir -p /var/vcap/sys/log/bpm
      chown -R vcap:vcap /var/vcap/sys/log/bpm
      # bpm is found by whoever logs in.
      mkdir -p /etc/profile.d
      cp /var/vcap/jobs/bpm/bin/setup /etc/profile.d/bpm.sh
      chmod 644 /etc/profile.d/bpm.sh

      """
    ),
    (
      "jobs/bpm/templates/setup",
      """
      case ":$PATH:" in
        *:/var/vcap/jobs/bpm/bin:*) ;;
        *) export PATH=/var/vcap/jobs/bpm/bin:$PATH ;;
      esac

      """
    ),
    ("packages/bpm/spec", "---\nname: bpm\nfiles:\n- bpm/bpm\n- bpm/runc\n- bpm/tini\n"),
    (
      "packages/bpm/packaging",
      """
      set -e
      mkdir -p "$BOSH_INSTALL_TARGET/bin"
      install -m 755 bpm/bpm bpm/runc bpm/tini "$BOSH_INSTALL_TARGET/bin/"
      # A runc that cannot run would be noticed only when the first process starts.
      "$BOSH_INSTALL_TARGET/bin/runc" --version

      """
    ),
  ]
}
