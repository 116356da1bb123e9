public import Digests
import Formats

/// Packing folders into tar archives and unpacking them again.
///
/// All of it blocks the calling thread while it works, holds one chunk of data in memory, and stops when the calling task
/// is cancelled.
public enum Archives {
  /// What unpacking lets through.
  public struct UnpackOptions: Sendable, Hashable {
    /// What symbolic links may say. None is ever followed while unpacking.
    public enum Links: Sendable, Hashable {
      /// Only what stays inside the folder.
      case inside
      /// Anything, as content: compiled packages link to `/var/vcap/packages/…`.
      case any
    }

    public var links: Links
    /// Owners, set-user-id bits, character devices and fifos as the archive says: for root file systems. Otherwise
    /// everything belongs to who unpacks, and such entries are refused.
    public var isRootFileSystem: Bool

    public init(links: Links = .inside, isRootFileSystem: Bool = false) {
      self.links = links
      self.isRootFileSystem = isRootFileSystem
    }

    /// For archives from anybody.
    public static let strict = UnpackOptions()
    /// For packages: links are content.
    public static let package = UnpackOptions(links: .any)
    /// For stemcells' images.
    public static let rootFileSystem = UnpackOptions(links: .any, isRootFileSystem: true)
  }

  /// What was unpacked.
  public struct Unpacked: Sendable, Hashable {
    public var entries: Int
    /// Bytes of files' contents.
    public var bytes: Int
    /// Of the archive itself, as asked for.
    public var digest: MultiDigest
  }

  /// Unpacks an archive into a folder that is empty or not there yet (its parent must be).
  ///
  /// Nothing is ever written outside the folder: every folder on the way is opened without following links. When the
  /// archive is refused or damaged, the folder is as it was before.
  ///
  /// - Parameters:
  ///   - file: Absolute path of the archive.
  ///   - folder: Absolute path.
  ///   - hashing: Digests of the archive to compute while reading it.
  /// - Throws: ``DroverError`` that names the archive and the entry.
  @discardableResult
  public static func unpack(
    _ file: String, into folder: String, limits: ArchiveLimits = ArchiveLimits(), options: UnpackOptions = .strict,
    hashing: Set<DigestAlgorithm> = []
  ) throws -> Unpacked {
    let reader = try ArchiveReader(file: file, limits: limits, hashing: hashing)
    return try unpack(reader, into: folder, options: options)
  }

  /// Unpacks what a reader has not read yet; otherwise as ``unpack(_:into:limits:options:hashing:)``.
  @discardableResult
  public static func unpack(
    _ reader: ArchiveReader, into folder: String, options: UnpackOptions = .strict
  ) throws -> Unpacked {
    let target = try UnpackTarget(folder)
    do {
      let unpacked = try Unpacker(reader, target, options).run()
      target.keep()
      return unpacked
    } catch {
      target.undo()
      throw error
    }
  }

  /// Reads all of an archive and refuses what unpacking it would refuse, without writing anything.
  ///
  /// - Returns: As unpacking would.
  @discardableResult
  public static func check(_ reader: ArchiveReader, options: UnpackOptions = .strict) throws -> Unpacked {
    var result = Unpacked(entries: 0, bytes: 0, digest: MultiDigest(pieces: []))
    while let entry = try reader.next() {
      _ = try Unpacker.place(of: entry, options, in: reader.label)
      result.entries += 1
      result.bytes += entry.size
    }
    result.digest = try reader.finish()
    return result
  }
}
