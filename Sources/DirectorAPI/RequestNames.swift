import Formats
import Hummingbird

extension DirectorRequestContext {
  /// A name in the request's path, as it was before it was escaped for that.
  func named(_ parameter: String) throws -> String {
    let text = try parameters.require(parameter)
    guard let name = PercentText.decoded(text[...], isQuery: false) else {
      throw DroverError(.invalid, "the request's path: \(parameter) '\(text)': expected UTF-8")
    }
    return name
  }
}
