import Files
import Formats
import Sealing

/// The file of the keys of a store.
enum SealKeyFile {
  /// Nil when there is no such file.
  static func read(_ path: String) throws -> SealKeys? {
    try Files.text(path, limit: 1 << 20).map { try SealKeyText.parse($0, path: path) }
  }

  /// Writes a file with one key, synced, unless somebody else has written one meanwhile.
  static func create(_ path: String, _ key: SealKey) throws {
    _ = try Files.create(path, with: Array(SealKeyText.text(key).utf8))
  }

  static func missing(_ path: String, _ id: String) -> DroverError {
    DroverError(
      .notFound,
      "opening the documents: what is secret in them is sealed with the key \(id), which was in \(path), and that file is "
        + "not there; bring it back from its back-up, or say by 'seal.key_file' where it is. Nothing was changed")
  }

  static func wrong(_ keys: SealKeys, _ id: String) -> DroverError {
    DroverError(
      .forbidden,
      "opening the documents: what is secret in them is sealed with the key \(id), and \(keys.source) has only "
        + "\(keys.ids.joined(separator: ", ")); bring the file with that key back from its back-up, or add its line to "
        + "this one. Nothing was changed")
  }
}
