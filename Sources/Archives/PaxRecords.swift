internal import Formats

/// The `LENGTH KEY=VALUE` lines of a pax extended header. Pure codec.
enum PaxRecords {
  /// - Throws: ``DroverError`` with code `corrupt`.
  static func parse(_ bytes: [UInt8]) throws -> [(key: String, value: [UInt8])] {
    var records: [(key: String, value: [UInt8])] = []
    var rest = bytes[...]
    while let first = rest.first, first != 0 {
      let wrong = DroverError(.corrupt, "an extended header is damaged")
      guard let blank = rest.prefix(20).firstIndex(of: 0x20),
        let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
        length > blank - rest.startIndex + 1, length <= rest.count
      else { throw wrong }
      let record = rest[(blank + 1)..<(rest.startIndex + length)]
      guard record.last == 0x0A, let equals = record.firstIndex(of: UInt8(ascii: "=")),
        let key = String(validating: record[..<equals], as: UTF8.self)
      else { throw wrong }
      records.append((key, Array(record[(equals + 1)...].dropLast())))
      rest = rest[(rest.startIndex + length)...]
    }
    return records
  }

  static func bytes(_ records: [(key: String, value: String)]) -> [UInt8] {
    records.flatMap { key, value in
      let tail = " \(key)=\(value)\n"
      var length = tail.utf8.count
      while String(length).utf8.count + tail.utf8.count != length {
        length = String(length).utf8.count + tail.utf8.count
      }
      return Array((String(length) + tail).utf8)
    }
  }
}
