/// The names that a certificate (X.509, DER) is made out to: the common names of its subject and its DNS names.
///
/// Only what finding them needs is read; whatever is not as it should be ends the search, and what was found counts.
/// The certificate has been verified before, so this is no judge of it.
struct CertificateNames: Sendable, Equatable {
  var commonNames: [String] = []
  var dnsNames: [String] = []

  init(der: [UInt8]) {
    guard var certificate = DERElement.first(in: der[...])?.children.makeIterator(),
      let signed = certificate.next(), signed.tag == 0x30
    else { return }
    // [0] version, serial number, algorithm, issuer, validity, subject, key, …, [3] extensions
    let parts = signed.children
    let subject = parts.first?.tag == 0xA0 ? 5 : 4
    guard parts.count > subject else { return }
    commonNames = Self.commonNames(parts[subject])
    if let extensions = parts.last, extensions.tag == 0xA3 {
      dnsNames = extensions.children.first.map(Self.dnsNames) ?? []
    }
  }

  private static func commonNames(_ name: DERElement) -> [String] {
    name.children.flatMap(\.children).compactMap { attribute in
      let parts = attribute.children
      guard parts.count == 2, parts[0].tag == 0x06, parts[0].content.elementsEqual([0x55, 0x04, 0x03]) else {
        return nil
      }
      return String(validating: parts[1].content, as: UTF8.self)
    }
  }

  private static func dnsNames(_ extensions: DERElement) -> [String] {
    for item in extensions.children {
      let parts = item.children
      guard let identifier = parts.first, identifier.content.elementsEqual([0x55, 0x1D, 0x11]),
        let value = parts.last, value.tag == 0x04, let names = DERElement.first(in: value.content)
      else { continue }
      return names.children.filter { $0.tag == 0x82 }.compactMap { String(validating: $0.content, as: UTF8.self) }
    }
    return []
  }
}

/// A tag with its content.
struct DERElement: Sendable {
  var tag: UInt8
  var content: ArraySlice<UInt8>
  private var end: Int

  /// The elements inside, as far as they are whole.
  var children: [DERElement] {
    var children: [DERElement] = []
    var rest = content
    while let child = DERElement.first(in: rest) {
      children.append(child)
      rest = rest[child.end...]
    }
    return children
  }

  static func first(in bytes: ArraySlice<UInt8>) -> DERElement? {
    var rest = bytes
    guard let tag = rest.popFirst(), tag & 0x1F != 0x1F, let first = rest.popFirst() else { return nil }
    var length = Int(first)
    if first >= 0x80 {
      guard (0x81...0x84).contains(first), rest.count >= Int(first & 0x7F) else { return nil }
      length = rest.prefix(Int(first & 0x7F)).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(Int(first & 0x7F))
    }
    guard rest.count >= length else { return nil }
    let content = rest.prefix(length)
    return DERElement(tag: tag, content: content, end: content.endIndex)
  }
}
