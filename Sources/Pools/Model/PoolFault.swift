import PoolsProtocol

/// Why a pool refuses, in the classes and texts that clients of Boskos know (reference/boskos.md 2).
public enum PoolFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// Nothing can be had now; the name is that of a type, a resource or a state, as the call has it.
  case nothingAvailable(String)
  case typeUnknown(String)
  case ownerDiffers(requested: String, current: String)
  case stateDiffers(requested: String, current: String)
  /// Too many wait already.
  case tooMany(String)
  /// The store failed, and nothing was changed.
  case storage(String)

  public var description: String {
    switch self {
    case .nothingAvailable(let name): "no available resource \(name), try again later."
    case .typeUnknown(let type): "resource type \(GoText.quoted(type)) does not exist"
    case .ownerDiffers(let requested, let current):
      "owner mismatch request by \(requested), currently owned by \(current)"
    case .stateDiffers(let requested, let current):
      "state mismatch - expected \(requested), current \(current)"
    case .tooMany(let what): what
    case .storage(let text): text
    }
  }
}
