import Glibc

/// Runs a test with a folder on a disk that is soon full (a tmpfs; needs root).
public func withSmallDisk<Result>(
  kilobytes: Int, isolation: isolated (any Actor)? = #isolation, _ work: (String) async throws -> Result
) async throws -> Result {
  try await withTemporaryFolder { folder in
    let disk = "\(folder)/disk"
    mkdir(disk, 0o700)
    guard mount("tmpfs", disk, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
      throw NoSmallDisk(reason: String(cString: strerror(errno)))
    }
    defer { umount2(disk, Int32(MNT_DETACH)) }
    return try await work(disk)
  }
}

struct NoSmallDisk: Error {
  let reason: String
}
