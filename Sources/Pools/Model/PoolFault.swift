import GoConventions
import PoolsProtocol

/// Why a pool refuses, in the classes and texts that clients of Boskos know (reference/boskos.md 2).
public enum PoolFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// Nothing can be had now; the name is that of a type, a resource or a state, as the call has it.
  case nothingAvailable(String)
  case typeUnknown(String)
  case ownerDiffers(requested: String, current: String)
  case stateDiffers(requested: String, current: String)
  /// Several resources of different types have that name, and the call does not say which is meant.
  case ambiguous(String, types: [String])
  /// The user data of a resource, with what was to be laid over them, in bytes.
  case tooLarge(String, size: Int, limit: Int)
  /// The store failed, and nothing was changed.
  case storage(String)

  /// The status of an answer that says so.
  public var status: Int {
    switch self {
    case .nothingAvailable, .typeUnknown: 404
    case .ownerDiffers: 401
    case .stateDiffers: 409
    case .ambiguous: 400
    case .tooLarge: 413
    case .storage: 500
    }
  }

  public var description: String {
    switch self {
    case .nothingAvailable(let name): "no available resource \(name), try again later."
    case .typeUnknown(let type): "resource type \(GoText.quoted(type)) does not exist"
    case .ownerDiffers(let requested, let current):
      "owner mismatch request by \(requested), currently owned by \(current)"
    case .stateDiffers(let requested, let current):
      "state mismatch - expected \(requested), current \(current)"
    case .ambiguous(let name, let types):
      "there are several resources \(GoText.quoted(name)): say which by type=, one of \(types.joined(separator: ", "))"
    case .tooLarge(let name, let size, let limit):
      "the user data of \(name) would have \(size) bytes; at most \(limit) are kept"
    case .storage(let text): text
    }
  }
}
