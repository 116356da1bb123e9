import Formats

/// The text of a file of keys: a line `ID KEY` for each, the one that seals first. The key is base64 of 32 bytes; its id is
/// made of it, and may be left out.
public enum SealKeyText {
  /// - Parameter path: where the text is from, for errors.
  /// - Throws: `invalid`, with the line, but never with what a key looks like.
  public static func parse(_ text: String, path: String) throws -> SealKeys {
    var keys: [SealKey] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let last = words.last, !line.hasPrefix("#") else { continue }
      func fault(_ found: String) -> DroverError {
        DroverError(.invalid, "reading the keys in \(path), line \(number + 1): \(found)")
      }
      guard words.count <= 2, let key = Base64.decode(last).flatMap(SealKey.init) else {
        throw fault("expected ID KEY, the key as base64 of \(SealKey.size) bytes; restore the file from its back-up")
      }
      if words.count == 2, words[0] != key.id {
        throw fault(
          "the key that stands there is \(key.id), not \(words[0]): the line is damaged; restore the file from its back-up"
        )
      }
      keys.append(key)
    }
    guard let current = keys.first else {
      throw DroverError(
        .invalid, "reading the keys in \(path): there is none in it; restore the file from its back-up")
    }
    return SealKeys(current, older: Array(keys.dropFirst()), source: path)
  }

  /// The text of a new file with one key.
  public static func text(_ key: SealKey) -> String {
    """
    # Secrets in Drover's documents are sealed with the first of these keys, and opened with any of them.
    # Keep a copy elsewhere than the back-ups of the documents. Without the key they cannot be read.
    \(key.line)

    """
  }
}
