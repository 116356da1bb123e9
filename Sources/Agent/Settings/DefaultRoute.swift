import AgentProtocol
import Files
import Formats
import Glibc

/// The address of the interface over which this machine reaches others: what a network means whose address the cloud gives
/// by DHCP (reference/agent.md 3).
struct DefaultRoute: Sendable, Hashable {
  var address: String
  var netmask: String
  var gateway: String

  /// This machine's; nil when there is none.
  static func current() -> DefaultRoute? {
    guard let text = Files.textIfPresent("/proc/net/route"), let (interface, gateway) = parse(text) else { return nil }
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return nil }
    defer { freeifaddrs(list) }
    var entry = list
    while let current = entry {
      entry = current.pointee.ifa_next
      guard String(cString: current.pointee.ifa_name) == interface,
        let address = Self.text(of: current.pointee.ifa_addr),
        let netmask = Self.text(of: current.pointee.ifa_netmask)
      else { continue }
      return DefaultRoute(address: address, netmask: netmask, gateway: gateway)
    }
    return nil
  }

  /// Interface and gateway of the best route to everywhere.
  ///
  /// - Parameter text: of /proc/net/route.
  static func parse(_ text: String) -> (interface: String, gateway: String)? {
    let routes = text.split(separator: "\n").dropFirst().map { $0.split { $0.isWhitespace }.map(String.init) }
    let everywhere = routes.filter { $0.count >= 8 && $0[1] == "00000000" && $0[7] == "00000000" }
    guard let best = everywhere.min(by: { Int($0[6]) ?? .max < Int($1[6]) ?? .max }),
      let gateway = UInt32(best[2], radix: 16)
    else { return nil }
    // In the order of this machine's bytes, least first.
    return (best[0], [0, 8, 16, 24].map { String(gateway >> $0 & 0xFF) }.joined(separator: "."))
  }

  /// Of IPv4.
  private static func text(of address: UnsafeMutablePointer<sockaddr>?) -> String? {
    guard let address, Int32(address.pointee.sa_family) == AF_INET else { return nil }
    var number = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr }
    var buffer = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
    guard inet_ntop(AF_INET, &number, &buffer, socklen_t(buffer.count)) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension NetworkSettings {
  /// With the address that the machine has, if DHCP gives it; else as it is.
  func resolved(_ route: DefaultRoute) -> NetworkSettings {
    guard isDHCP, ["", "32", "128"].contains(prefix) else { return self }
    var network = self
    network.raw["ip"] = .string(route.address)
    network.raw["netmask"] = .string(route.netmask)
    network.raw["gateway"] = .string(route.gateway)
    // It stays one of DHCP, though it has an address now.
    network.raw["resolved"] = true
    return network
  }
}
