import Formats

/// The files of one nats-server, all in one directory, and what is in its configuration.
struct NATSServerFiles: Sendable {
  let directory: String

  var configuration: String { "\(directory)/nats.conf" }
  var authorization: String { "\(directory)/authorization.json" }
  var certificate: String { "\(directory)/server.crt" }
  var key: String { "\(directory)/server.key" }
  var authority: String { "\(directory)/ca.crt" }
  var log: String { "\(directory)/nats.log" }
  /// Which process it is, as we know it.
  var process: String { "\(directory)/process.json" }

  /// nats-server's configuration, apart from who may do what.
  func text(_ server: NATSServer.Configuration) -> String {
    """
    # Written by droverd at each start; changes are lost.
    server_name: "drover"
    listen: \(quoted(server.address.contains(":") ? "[\(server.address)]:\(server.port)" : "\(server.address):\(server.port)"))
    max_payload: \(server.maximumPayload)
    # A file that can be renamed: SIGUSR1 has it opened anew.
    log_file: \(quoted(log))
    ping_interval: "30s"
    ping_max: 2
    write_deadline: "10s"

    tls {
      cert_file: \(quoted(certificate))
      key_file: \(quoted(key))
      ca_file: \(quoted(authority))
      verify_and_map: true
      # Many agents at once after a restart, on a small machine.
      timeout: 20
    }

    authorization {
      timeout: 30
      include "authorization.json"
    }

    """
  }

  private func quoted(_ text: String) -> String {
    JSON.text(.string(text))
  }
}
