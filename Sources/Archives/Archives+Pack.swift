public import Digests
import Formats

extension Archives {
  /// How a folder is packed.
  public struct PackOptions: Sendable, Hashable {
    public var compression: ArchiveWriter.Compression
    /// Put before every path: `./` as BOSH does it, or nothing.
    public var prefix: String
    /// Numeric owners as they are, or else root for all.
    public var keepsOwners: Bool
    /// Seconds since 1970 for every entry; nil keeps the files' own.
    public var modifiedAt: Int?
    /// Further names of one file become hard links instead of copies.
    public var keepsHardLinks: Bool
    /// Character devices and fifos are packed; otherwise they are an error.
    public var keepsDevices: Bool
    /// Whether the folder itself has an entry.
    public var includesRoot: Bool

    public init(
      compression: ArchiveWriter.Compression = .gzip(level: 6), prefix: String = "./", keepsOwners: Bool = false,
      modifiedAt: Int? = nil, keepsHardLinks: Bool = false, keepsDevices: Bool = false, includesRoot: Bool = true
    ) {
      self.compression = compression
      self.prefix = prefix
      self.keepsOwners = keepsOwners
      self.modifiedAt = modifiedAt
      self.keepsHardLinks = keepsHardLinks
      self.keepsDevices = keepsDevices
      self.includesRoot = includesRoot
    }

    /// Owners, hard links and devices: for stemcells' images.
    public static let rootFileSystem = PackOptions(keepsOwners: true, keepsHardLinks: true, keepsDevices: true)
  }

  /// What was packed.
  public struct Packed: Sendable, Hashable {
    public var entries: Int
    /// Bytes of files' contents.
    public var bytes: Int
    public var digest: MultiDigest
  }

  /// Packs all that a folder holds, sorted by path, so that equal folders give equal archives. Sockets are left out.
  ///
  /// - Parameters:
  ///   - folder: Absolute path.
  ///   - file: Absolute path of the archive; it appears when it is complete.
  /// - Returns: With the digests that were asked for.
  @discardableResult
  public static func pack(
    _ folder: String, to file: String, options: PackOptions = PackOptions(), hashing: Set<DigestAlgorithm> = [.sha256]
  ) throws -> Packed {
    let writer = try ArchiveWriter(file: file, compression: options.compression, hashing: hashing)
    var packer = Packer(writer, options)
    try packer.add(folder: folder)
    var packed = packer.packed
    packed.digest = try writer.finish()
    return packed
  }
}
