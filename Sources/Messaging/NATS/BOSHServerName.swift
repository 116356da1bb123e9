/// The names that a NATS server of BOSH may have: `^[A-Za-z0-9*-]*\.nats\.bosh-internal$` (`reference/agent.md 6`).
enum BOSHServerName {
  private static let suffix = ".nats.bosh-internal"

  static func isAllowed(_ name: String) -> Bool {
    guard name.hasSuffix(suffix) else { return false }
    return name.utf8.dropLast(suffix.utf8.count).allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "*"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }
}
