import Files
import Formats
import Glibc

/// The folder of a VM on the host.
struct VMFolder: Sendable {
  let path: String

  var record: String { "\(path)/vm.json" }
  /// The settings document as it should be; the VM has a copy.
  var settings: String { "\(path)/settings.json" }
  /// What was changed against the stemcell: the upper layer of the overlay.
  var upper: String { "\(path)/upper" }
  /// The overlay's own.
  var work: String { "\(path)/work" }
  /// The ephemeral disk.
  var data: String { "\(path)/data" }
  /// Where the overlay is mounted while runc makes the container; on the host it is always empty.
  var root: String { "\(path)/rootfs" }
  /// The OCI bundle.
  var bundle: String { "\(path)/bundle" }
  var pidFile: String { "\(path)/bundle/pid" }
  /// What PID 1 writes.
  var console: String { "\(path)/console.log" }
  /// Held by a running `runc create`, also when whoever asked for it was killed.
  var creationLock: String { "\(path)/create.lock" }

  func make() throws {
    for folder in [path, upper, data] { try Files.makeFolder(folder) }
    for folder in [work, root, bundle] { try Files.makeFolder(folder, mode: 0o700) }
  }

  func readRecord() throws -> VMRecord? {
    try Files.bytes(record).map { try VMRecord(encoded: $0) }
  }

  func write(_ record: VMRecord) throws { try Files.replace(self.record, with: record.encoded()) }

  /// Writes a file of the VM while it does not run: into the upper layer, with parent folders as the stemcell has them.
  func writeLayer(_ file: String, _ bytes: [UInt8], mode: UInt32, stemcell: String) throws {
    var place = ""
    let components = file.split(separator: "/")
    for component in components.dropLast() {
      place += "/\(component)"
      try makeLayerFolder(place, stemcell: stemcell)
    }
    let target = upper + file
    if try Files.isFolder(target) {
      throw DroverError(.conflict, "writing \(file) of the VM in \(path): there is a folder")
    }
    try Files.replace(target, with: bytes, mode: mode)
  }

  /// A folder must be one in both layers: a link that was left there could lead anywhere on the host.
  private func makeLayerFolder(_ folder: String, stemcell: String) throws {
    if let there = try FileFacts(upper + folder, followsLinks: false) {
      guard there.kind == .folder else {
        throw DroverError(.conflict, "writing into \(folder) of the VM in \(path): it is not a folder any more")
      }
      return
    }
    let inherited = try FileFacts(stemcell + folder, followsLinks: false)
    if let inherited, inherited.kind != .folder {
      throw DroverError(.invalid, "writing into \(folder) of the VM in \(path): it is not a folder in the stemcell")
    }
    try Files.makeFolder(upper + folder)
    guard let inherited else { return }
    guard chmod(upper + folder, mode_t(inherited.permissions)) == 0,
      chown(upper + folder, inherited.user, inherited.group) == 0
    else { throw DroverError(.failed, "giving \(upper + folder) the mode of the stemcell's folder") }
  }
}
