import Files
import Formats
import Glibc
import Testing

/// What a script of `sh` wrote, errors along with the rest, and whether it ended well.
func output(_ script: String, in folder: String) throws -> (isGood: Bool, text: String) {
  let status = system("cd '\(folder)' && { \(script)\n} >output 2>&1 </dev/null")
  return (status == 0, try #require(try Files.text("\(folder)/output")))
}

/// Runs a script that must end well.
@discardableResult
func expect(
  _ script: String, in folder: String, sourceLocation: SourceLocation = #_sourceLocation
) throws -> String {
  let (isGood, text) = try output(script, in: folder)
  #expect(isGood, "\(script): \(text)", sourceLocation: sourceLocation)
  return text
}

/// A member that is a string.
func text(_ value: Value, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
  try #require(value[name]?.string, sourceLocation: sourceLocation)
}

/// The message of the error that is thrown.
func message(_ work: () throws -> Void) -> String? {
  let error = #expect(throws: DroverError.self) { try work() }
  #expect(error?.code == .invalid)
  return error?.description
}
