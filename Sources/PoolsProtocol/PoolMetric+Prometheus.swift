extension PoolMetric {
  /// Resources by type and state, as Prometheus reads it (reference/boskos.md 13): every known state of every type, also
  /// when nothing is in it, and the others together.
  ///
  /// - Parameter known: the states that are known.
  public static func gauge(_ pools: [PoolMetric], known: [String] = ResourceState.known) -> String {
    var text = "# HELP boskos_resources Resources by type and state.\n# TYPE boskos_resources gauge\n"
    for pool in pools {
      let type = escaped(label: pool.type)
      for (state, count) in pool.states(known: known) {
        text += "boskos_resources{state=\"\(escaped(label: state))\",type=\"\(type)\"} \(count)\n"
      }
    }
    return text
  }

  private func states(known: [String]) -> [(String, Int)] {
    var states = known.map { ($0, current[$0] ?? 0) }
    let other = current.filter { !known.contains($0.key) }.reduce(0) { $0 + $1.value }
    if other > 0 { states.append(("other", other)) }
    return states
  }

  /// The value of a label, between quotes.
  public static func escaped(label: String) -> String {
    var text = ""
    for character in label.unicodeScalars {
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }
}
