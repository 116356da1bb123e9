import CLinux
import Glibc

extension RunningScript {
  /// A piece of a stream.
  public struct Piece: Sendable, Hashable {
    /// The offset of its first byte: beyond the one that was asked for when bytes between them are left out.
    public var start: Int
    public var bytes: [UInt8]
    /// How long the stream is, what is left out counted.
    public var size: Int
  }

  private var limit: OutputLimit? { spec.outputLimit.map(OutputLimit.init) }

  /// What of a stream is left out; nil for nothing.
  public func gap(_ stream: OutputStream) -> Range<Int>? { limit?.gap(of: outputSize(stream)) }

  /// Whether one who has read up to an offset has all that there is to read before the script has ended.
  public func isHeldBack(_ stream: OutputStream, at offset: Int) -> Bool { limit.map { offset >= $0.head } ?? false }

  /// The next piece of a stream from an offset on, without what is left out.
  public func piece(_ stream: OutputStream, from offset: Int, maximum: Int) throws -> Piece {
    var size = outputSize(stream)
    var hasEnded = false
    if let limit, size > limit.head {
      // Asked first: what was printed before the end is there then.
      hasEnded = try exitIfEnded() != nil
      size = outputSize(stream)
    }
    let window = limit?.window(from: offset, size: size, hasEnded: hasEnded) ?? offset..<max(offset, size)
    let bytes =
      window.isEmpty
      ? [] : try readOutput(stream, offset: window.lowerBound, maximum: min(maximum, window.count))
    return Piece(start: window.lowerBound, bytes: bytes, size: size)
  }

  /// Gives the disk space of what is left out back, while the script runs: a hole in the file, so that what follows stays
  /// where it is. File systems without holes keep it.
  public func trimOutput() {
    for stream in [OutputStream.stdout, .stderr] {
      guard let gap = gap(stream), gap.count >= 1 << 16 else { continue }
      let file = open(outputPath(stream), O_WRONLY | O_CLOEXEC)
      guard file >= 0 else { continue }
      _ = drover_punch_hole(file, gap.lowerBound, gap.count)
      close(file)
    }
  }
}
