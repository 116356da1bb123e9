import Formats

/// Reads bpm.yml's nodes by the types that its keys have. What does not fit is noted, and reading goes on, so that all
/// mistakes are told at once.
///
/// Unknown keys are ignored, a key without a value is as good as absent, and a string may be any scalar and keeps its
/// spelling (reference/bpm.md 3).
struct ConfigurationReader {
  private(set) var problems: [String] = []
  /// What is read now, for messages.
  private var process = ""

  mutating func processes(_ document: YAMLNode) -> [ProcessConfiguration] {
    var processes: [ProcessConfiguration] = []
    each(document, "", "config.JobConfig") { reader, key, value, _ in
      guard key == "processes" else { return }
      for (index, element) in reader.elements(value, key, "[]*config.ProcessConfig").enumerated() {
        processes.append(reader.process(element, index))
      }
    }
    return processes
  }

  private mutating func process(_ node: YAMLNode, _ index: Int) -> ProcessConfiguration {
    var process = ProcessConfiguration()
    process.line = node.line
    if node.isNull { return process }
    let name = node.members?.first { $0.key == "name" }?.value
    self.process = name.flatMap(Self.text) ?? "#\(index + 1)"
    each(node, "", "config.ProcessConfig") { reader, key, value, line in
      process.lines[key] = line
      reader.member(key, value, of: &process)
    }
    self.process = ""
    return process
  }

  private mutating func member(_ key: String, _ value: YAMLNode, of process: inout ProcessConfiguration) {
    switch key {
    case "name": process.name = string(value, key) ?? ""
    case "executable": process.executable = string(value, key) ?? ""
    case "args": process.arguments = strings(value, key)
    case "env":
      each(value, key, "map[string]string") { reader, name, value, _ in
        process.environment[name] = value.isNull ? "" : reader.string(value, "env.\(name)") ?? ""
      }
    case "workdir": process.workingDirectory = string(value, key) ?? ""
    case "hooks":
      if !value.isNull { process.preStartHook = "" }
      each(value, key, "config.Hooks") { reader, name, value, line in
        guard name == "pre_start" else { return }
        process.lines["hooks.pre_start"] = line
        process.preStartHook = reader.string(value, "hooks.pre_start") ?? ""
      }
    case "capabilities": process.capabilities = strings(value, key)
    case "limits": limits(value, of: &process)
    case "ephemeral_disk": process.ephemeralDisk = flag(value, key)
    case "persistent_disk": process.persistentDisk = flag(value, key)
    case "additional_volumes": process.volumes = volumes(value, key, &process.lines)
    case "unsafe": unsafe(value, of: &process)
    case "shutdown_signal": process.shutdownSignal = string(value, key) ?? ""
    case "shutdown_timeout": process.shutdownTimeout = number(value, key).map { .seconds($0) }
    case "devices": process.devices = devices(value, &process.lines)
    case "executable_tmp": process.executableTemporaryFolders = flag(value, key)
    case "syslog": process.syslog = flag(value, key)
    default: break
    }
  }

  private mutating func limits(_ node: YAMLNode, of process: inout ProcessConfiguration) {
    each(node, "limits", "config.Limits") { reader, key, value, line in
      let place = "limits.\(key)"
      process.lines[place] = line
      switch key {
      case "memory": process.limits.memory = reader.string(value, place)
      case "open_files": process.limits.openFiles = reader.unsigned(value, place)
      case "processes": process.limits.processes = reader.signed(value, place)
      case "core_file_size": process.limits.coreFileSize = reader.unsigned(value, place)
      case "cpu":
        reader.each(value, place, "config.CPU") { reader, key, value, line in
          process.lines["\(place).\(key)"] = line
          switch key {
          case "shares": process.limits.cpuShares = reader.unsigned(value, "\(place).shares")
          case "quota": process.limits.cpuQuota = reader.number(value, "\(place).quota")
          default: break
          }
        }
      default: break
      }
    }
  }

  private mutating func unsafe(_ node: YAMLNode, of process: inout ProcessConfiguration) {
    each(node, "unsafe", "config.Unsafe") { reader, key, value, line in
      let place = "unsafe.\(key)"
      process.lines[place] = line
      switch key {
      case "privileged": process.unsafe.isPrivileged = reader.flag(value, place)
      case "unrestricted_volumes":
        process.unsafe.unrestrictedVolumes = reader.volumes(value, place, &process.lines)
      case "host_pid_namespace": process.unsafe.usesHostProcesses = reader.flag(value, place)
      default: break
      }
    }
  }

  private mutating func volumes(
    _ node: YAMLNode, _ place: String, _ lines: inout [String: Int]
  ) -> [ProcessConfiguration.Volume] {
    var volumes: [ProcessConfiguration.Volume] = []
    for element in elements(node, place, "[]config.Volume") where !element.isNull {
      let place = "\(place)[\(volumes.count)]"
      lines[place] = element.line
      var volume = ProcessConfiguration.Volume("")
      each(element, place, "config.Volume") { reader, key, value, line in
        lines["\(place).\(key)"] = line
        switch key {
        case "path": volume.path = reader.string(value, "\(place).path") ?? ""
        case "writable": volume.isWritable = reader.flag(value, "\(place).writable")
        case "allow_executions": volume.allowsExecutions = reader.flag(value, "\(place).allow_executions")
        case "mount_only": volume.isMountOnly = reader.flag(value, "\(place).mount_only")
        case "shared": volume.isShared = reader.flag(value, "\(place).shared")
        default: break
        }
      }
      volumes.append(volume)
    }
    return volumes
  }

  private mutating func devices(_ node: YAMLNode, _ lines: inout [String: Int]) -> [ProcessConfiguration.Device] {
    var devices: [ProcessConfiguration.Device] = []
    for element in elements(node, "devices", "[]config.Device") where !element.isNull {
      let place = "devices[\(devices.count)]"
      lines[place] = element.line
      var device = ProcessConfiguration.Device(path: "", permissions: "rwm")
      each(element, place, "config.Device") { reader, key, value, line in
        lines["\(place).\(key)"] = line
        switch key {
        case "path": device.path = reader.string(value, "\(place).path") ?? ""
        case "permissions": device.permissions = reader.string(value, "\(place).permissions") ?? "rwm"
        default: break
        }
      }
      devices.append(device)
    }
    return devices
  }
}

// MARK: - The types of YAML's values

extension ConfigurationReader {
  private typealias Member = (inout ConfigurationReader, _ key: String, _ value: YAMLNode, _ line: Int) -> Void

  private mutating func problem(_ node: YAMLNode, _ place: String, _ type: String) {
    let at = (process.isEmpty ? [] : ["process \(process)"]) + (place.isEmpty ? [] : ["key \(place)"])
    problems.append(
      "  line \(node.line): cannot unmarshal \(YAMLTyping.description(node)) into \(type)"
        + (at.isEmpty ? "" : " (\(at.joined(separator: ", ")))"))
  }

  private mutating func each(_ node: YAMLNode, _ place: String, _ type: String, _ body: Member) {
    if node.isNull { return }
    guard let members = node.members else { return problem(node, place, type) }
    for member in members { body(&self, member.key, member.value, member.line) }
  }

  private mutating func elements(_ node: YAMLNode, _ place: String, _ type: String) -> [YAMLNode] {
    if node.isNull { return [] }
    guard case .sequence(let elements) = node.content else {
      problem(node, place, type)
      return []
    }
    return elements
  }

  private static func text(_ node: YAMLNode) -> String? {
    if case .scalar(let scalar) = node.content { scalar.text } else { nil }
  }

  /// Nil for null.
  private mutating func string(_ node: YAMLNode, _ place: String) -> String? {
    if node.isNull { return nil }
    guard case .scalar(let scalar) = node.content, let text = YAMLTyping.string(scalar) else {
      problem(node, place, "string")
      return nil
    }
    return text
  }

  private mutating func strings(_ node: YAMLNode, _ place: String) -> [String] {
    var strings: [String] = []
    for (index, element) in elements(node, place, "[]string").enumerated() {
      if let text = string(element, "\(place)[\(index)]") { strings.append(text) }
    }
    return strings
  }

  private mutating func flag(_ node: YAMLNode, _ place: String) -> Bool {
    if node.isNull { return false }
    guard case .scalar(let scalar) = node.content, let flag = YAMLTyping.bool(scalar) else {
      problem(node, place, "bool")
      return false
    }
    return flag
  }

  private mutating func number(_ node: YAMLNode, _ place: String) -> Double? {
    if node.isNull { return nil }
    guard case .scalar(let scalar) = node.content, let number = YAMLTyping.double(scalar), number.isFinite else {
      problem(node, place, "float64")
      return nil
    }
    return number
  }

  private mutating func unsigned(_ node: YAMLNode, _ place: String) -> UInt64? {
    if node.isNull { return nil }
    if case .scalar(let scalar) = node.content {
      if let number = YAMLTyping.integer(scalar), number.isNegative == false { return number.magnitude }
      if let number = YAMLTyping.float(scalar), number >= 0, number < 0x1p64 { return UInt64(number) }
    }
    problem(node, place, "uint64")
    return nil
  }

  private mutating func signed(_ node: YAMLNode, _ place: String) -> Int64? {
    if node.isNull { return nil }
    if case .scalar(let scalar) = node.content {
      if let number = YAMLTyping.integer(scalar) {
        if let value = Int64((number.isNegative ? "-" : "") + String(number.magnitude)) { return value }
      } else if let number = YAMLTyping.float(scalar), abs(number) < 0x1p63 {
        return Int64(number)
      }
    }
    problem(node, place, "int64")
    return nil
  }
}
