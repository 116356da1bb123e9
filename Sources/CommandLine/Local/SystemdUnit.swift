/// A unit by which systemd keeps the server running.
enum SystemdUnit {
  /// - Parameters:
  ///   - program: path of droverd.
  ///   - flags: what `drover up` was told, by name.
  static func text(program: String, state: String, flags: [String: String]) -> String {
    let given = flags.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
    return """
      [Unit]
      Description=Drover, a BOSH director (\(state))
      Wants=network-online.target
      After=network-online.target

      [Service]
      ExecStart=\(([program, "--state", state] + given).map(quoted).joined(separator: " "))
      # VMs and the bus go on while the server is restarted: only its own process is ended.
      KillMode=process
      Delegate=yes
      Restart=on-failure
      RestartSec=2
      LimitNOFILE=65536
      TasksMax=infinity

      [Install]
      WantedBy=multi-user.target

      """
  }

  /// As systemd reads a word of a command: `%` and `$` mean something to it, also between quotes.
  private static func quoted(_ word: String) -> String {
    let escaped = word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("%", with: "%%")
      .replacing("$", with: "$$")
    let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "/-_.:,@%$+=".contains($0) }
    return isPlain ? escaped : "\"\(escaped)\""
  }
}
