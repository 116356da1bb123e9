/// A BOSH version: `RELEASE[-PRE_RELEASE][+POST_RELEASE]`, each of parts joined by dots, such as `1.2.3-rc.1+dev.4`.
///
/// Parts that are numbers compare as numbers and come before words; missing parts are zeros, so `1.0` equals `1.0.0`. A
/// pre-release comes before its release, a post-release after it.
public struct SemiSemanticVersion: Sendable, CustomStringConvertible {
  /// One of the three dotted lists.
  public struct Segment: Sendable, CustomStringConvertible {
    public let parts: [String]
    public var description: String { parts.joined(separator: ".") }
  }

  public let release: Segment
  public let preRelease: Segment?
  public let postRelease: Segment?

  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    func fail(_ why: String) -> DroverError {
      DroverError(.invalid, "version '\(text)': \(why); expected something like 1.2.3, 1.2.3-rc.1 or 0+dev.4")
    }
    guard !text.isEmpty else { throw fail("is empty") }
    var rest = text[...]
    var post: Substring?
    if let plus = rest.firstIndex(of: "+") {
      post = rest[rest.index(after: plus)...]
      rest = rest[..<plus]
    }
    var pre: Substring?
    if let dash = rest.firstIndex(of: "-") {
      pre = rest[rest.index(after: dash)...]
      rest = rest[..<dash]
    }
    func segment(_ text: Substring, allowsDash: Bool) throws -> Segment {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      for part in parts {
        guard !part.isEmpty else { throw fail("has an empty part") }
        guard part.utf8.allSatisfy({ Self.isAllowed($0) || allowsDash && $0 == UInt8(ascii: "-") }) else {
          throw fail("'\(part)' has a character that is not allowed")
        }
      }
      return Segment(parts: parts)
    }
    release = try segment(rest, allowsDash: false)
    preRelease = try pre.map { try segment($0, allowsDash: true) }
    postRelease = try post.map { try segment($0, allowsDash: true) }
  }

  private init(release: Segment, preRelease: Segment?, postRelease: Segment?) {
    self.release = release
    self.preRelease = preRelease
    self.postRelease = postRelease
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  public var description: String {
    "\(release)" + (preRelease.map { "-\($0)" } ?? "") + (postRelease.map { "+\($0)" } ?? "")
  }

  /// Without the post-release: what `0+dev.4` is a development version of.
  public var base: SemiSemanticVersion {
    SemiSemanticVersion(release: release, preRelease: preRelease, postRelease: nil)
  }

  /// The version with this post-release, `["dev", "4"]` for `+dev.4`.
  public func with(postRelease parts: [String]) -> SemiSemanticVersion {
    SemiSemanticVersion(
      release: release, preRelease: preRelease, postRelease: parts.isEmpty ? nil : Segment(parts: parts))
  }

  /// The next one of its kind: `+dev.4` becomes `+dev.5`; without a post-release it is `+dev.1`.
  public var nextDevelopment: SemiSemanticVersion {
    guard var parts = postRelease?.parts, let last = parts.last.flatMap({ Int($0) }) else {
      return with(postRelease: ["dev", "1"])
    }
    parts[parts.count - 1] = String(last + 1)
    return with(postRelease: parts)
  }

  /// The release with its last number one higher, without pre- and post-release: the next final version.
  public var nextRelease: SemiSemanticVersion {
    var parts = release.parts
    if let last = parts.last.flatMap({ Int($0) }) {
      parts[parts.count - 1] = String(last + 1)
    } else {
      parts.append("1")
    }
    return SemiSemanticVersion(release: Segment(parts: parts), preRelease: nil, postRelease: nil)
  }
}

extension SemiSemanticVersion: Comparable, Hashable {
  public static func < (left: SemiSemanticVersion, right: SemiSemanticVersion) -> Bool { left.order(to: right) < 0 }
  public static func == (left: SemiSemanticVersion, right: SemiSemanticVersion) -> Bool { left.order(to: right) == 0 }

  public func hash(into hasher: inout Hasher) {
    for segment in [release, preRelease, postRelease] {
      hasher.combine(segment == nil)
      hasher.combine(segment?.significant ?? [])
    }
  }

  /// Below zero when this comes before `other`, zero when they are equal.
  private func order(to other: SemiSemanticVersion) -> Int {
    let byRelease = release.order(to: other.release)
    if byRelease != 0 { return byRelease }
    switch (preRelease, other.preRelease) {
    case (nil, nil): break
    case (nil, .some): return 1
    case (.some, nil): return -1
    case (.some(let left), .some(let right)):
      let order = left.order(to: right)
      if order != 0 { return order }
    }
    switch (postRelease, other.postRelease) {
    case (nil, nil): return 0
    case (nil, .some): return -1
    case (.some, nil): return 1
    case (.some(let left), .some(let right)): return left.order(to: right)
    }
  }
}

extension SemiSemanticVersion.Segment {
  private static func isNumber(_ part: String) -> Bool {
    part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  /// The parts without leading zeros and without the zeros at the end, which do not count.
  fileprivate var significant: [String] {
    var parts = parts.map { part in
      guard Self.isNumber(part) else { return part }
      let digits = part.drop { $0 == "0" }
      return digits.isEmpty ? "0" : String(digits)
    }
    while parts.last == "0" { parts.removeLast() }
    return parts
  }

  fileprivate func order(to other: Self) -> Int {
    let left = significant
    let right = other.significant
    for index in 0..<max(left.count, right.count) {
      let order = Self.order(
        index < left.count ? left[index] : "0", index < right.count ? right[index] : "0")
      if order != 0 { return order }
    }
    return 0
  }

  private static func order(_ left: String, _ right: String) -> Int {
    if left == right { return 0 }
    switch (isNumber(left), isNumber(right)) {
    case (true, false): return -1
    case (false, true): return 1
    case (true, true) where left.utf8.count != right.utf8.count: return left.utf8.count < right.utf8.count ? -1 : 1
    default: return left < right ? -1 : 1
    }
  }
}
