public import PoolsClient

extension PoolsClientError {
  /// What to do about it, for whoever gave a command; empty when nobody knows.
  public var hint: String {
    switch self {
    case .notLetIn: "; give --username and --password-file"
    case .unreachable: "; is it running? --boskos-url or DROVER_POOLS_URL names another server of pools"
    default: ""
    }
  }
}
