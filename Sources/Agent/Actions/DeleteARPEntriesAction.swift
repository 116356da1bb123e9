import AgentProtocol
import Formats
import Processes

/// Forgets the hardware addresses of other machines (reference/agent.md 11). What cannot be forgotten is ignored.
struct DeleteARPEntriesAction: AgentAction {
  let method = AgentMethod.deleteARPEntries
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let addresses = try call.reading {
      try FieldReader(call.arguments[0], at: "delete_arp_entries").strings("ips")
    }
    for address in addresses where Self.isAddress(address) {
      var command = Command("ip", "neigh", "flush", "to", address)
      command.timeout = .seconds(5)
      _ = try? await command.result()
    }
    return [:]
  }

  static func isAddress(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 45
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
          UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."), UInt8(ascii: ":"):
          true
        default: false
        }
      }
  }
}
