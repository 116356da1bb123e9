/// Which proxy the environment asks for: `http_proxy`, `https_proxy` and `no_proxy`, in either case of letters.
public enum ProxyChoice {
  /// - Returns: the proxy's address and port for a URL, or nil to ask directly.
  public static func proxy(for url: String, environment: [String: String]) -> (host: String, port: Int)? {
    guard let (scheme, host, port) = parts(url) else { return nil }
    func variable(_ name: String) -> String {
      [environment[name.uppercased()], environment[name]].compactMap { $0 }.first { !$0.isEmpty } ?? ""
    }
    if host == "localhost" || host.hasPrefix("127.") || host == "::1" { return nil }
    if excludes(variable("no_proxy"), host: host, port: port) { return nil }
    let text = variable("\(scheme)_proxy")
    guard !text.isEmpty else { return nil }
    return parts(text.contains("://") ? text : "http://\(text)").map { ($0.host, $0.port) }
  }

  /// Whether a list names a host: `*`, the host, `host:port`, or a domain, which all below it belong to.
  private static func excludes(_ list: String, host: String, port: Int) -> Bool {
    list.split { $0 == "," || $0 == " " }.contains { entry in
      if entry == "*" { return true }
      let entry = entry.lowercased()
      let name = entry.hasSuffix(":\(port)") ? String(entry.dropLast("\(port)".count + 1)) : entry
      let domain = name.hasPrefix("*.") ? String(name.dropFirst()) : name
      if domain.hasPrefix(".") { return host.hasSuffix(domain) }
      return host == domain || host.hasSuffix("." + domain)
    }
  }

  private static func parts(_ url: String) -> (scheme: String, host: String, port: Int)? {
    guard let colon = url.firstRange(of: "://") else { return nil }
    let scheme = url[..<colon.lowerBound].lowercased()
    var rest = url[colon.upperBound...].prefix { !"/?#".contains($0) }
    if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
    let host: Substring
    if rest.first == "[" {
      host = rest.dropFirst().prefix { $0 != "]" }
      rest = rest.drop { $0 != "]" }.dropFirst()
    } else {
      host = rest.prefix { $0 != ":" }
      rest = rest[host.endIndex...]
    }
    guard !host.isEmpty else { return nil }
    return (scheme, host.lowercased(), Int(rest.dropFirst()) ?? (scheme == "https" ? 443 : 80))
  }
}
