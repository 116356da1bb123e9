/// An entry's header blocks: its own, and before it one with pax records for what ustar cannot say. Pure.
enum TarEncoder {
  static func blocks(_ entry: ArchiveEntry) -> [[UInt8]] {
    var header = TarHeader(
      path: entry.path, type: type(entry.kind), mode: entry.mode, size: entry.kind == .file ? entry.size : 0)
    header.userID = entry.userID
    header.groupID = entry.groupID
    header.modifiedAt = entry.modifiedAt
    switch entry.kind {
    case .symbolicLink(let target), .hardLink(let target): header.linkTarget = target
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      header.deviceMajor = major
      header.deviceMinor = minor
    case .directory: if !header.path.hasSuffix("/") { header.path += "/" }
    case .file, .fifo: break
    }
    var records: [(key: String, value: String)] = []
    if TarHeader.split(header.path) == nil || !isASCII(header.path) { records.append(("path", header.path)) }
    if header.linkTarget.utf8.count > 100 || !isASCII(header.linkTarget) {
      records.append(("linkpath", header.linkTarget))
    }
    if !TarHeader.fits(octal: header.size, width: 12) { records.append(("size", String(header.size))) }
    if !TarHeader.fits(octal: header.modifiedAt, width: 12) { records.append(("mtime", String(header.modifiedAt))) }
    if !TarHeader.fits(octal: header.userID, width: 8) { records.append(("uid", String(header.userID))) }
    if !TarHeader.fits(octal: header.groupID, width: 8) { records.append(("gid", String(header.groupID))) }
    guard !records.isEmpty else { return [header.block] }
    let content = PaxRecords.bytes(records)
    let extended = TarHeader(path: "PaxHeaders/entry", type: UInt8(ascii: "x"), size: content.count)
    let padding = [UInt8](repeating: 0, count: TarHeader.padding(after: content.count))
    return [extended.block, content + padding, header.block]
  }

  private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

  private static func type(_ kind: ArchiveEntry.Kind) -> UInt8 {
    switch kind {
    case .file: UInt8(ascii: "0")
    case .hardLink: UInt8(ascii: "1")
    case .symbolicLink: UInt8(ascii: "2")
    case .characterDevice: UInt8(ascii: "3")
    case .blockDevice: UInt8(ascii: "4")
    case .directory: UInt8(ascii: "5")
    case .fifo: UInt8(ascii: "6")
    }
  }
}
