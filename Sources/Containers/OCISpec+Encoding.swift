public import Formats

extension OCISpec {
  /// The bytes of config.json. What is empty or nil is left out, except where runc wants it.
  public func encoded() -> [UInt8] { JSON.bytes(value, .pretty) }

  /// The document of config.json.
  public var value: Value {
    var members: ValueObject = [
      "ociVersion": .string(version), "process": process.value,
      "root": ["path": .string(root.path), "readonly": .bool(root.isReadonly)],
    ]
    members.put("hostname", hostname.map(Value.string))
    members.put("mounts", .array(mounts.map(\.value)))
    members.put("hooks", hooks.value)
    if !annotations.isEmpty { members["annotations"] = .strings(annotations) }
    members["linux"] = linux.value
    return .object(members)
  }
}

extension OCISpec.Process {
  var value: Value {
    var members: ValueObject = [
      "terminal": .bool(terminal), "user": user.value, "args": Value(arguments), "env": Value(environment),
      "cwd": .string(directory),
    ]
    members.put("capabilities", capabilities?.value)
    if !resourceLimits.isEmpty { members["rlimits"] = .array(resourceLimits.map(\.value)) }
    members["noNewPrivileges"] = .bool(noNewPrivileges)
    members.put("oomScoreAdj", oomScoreAdjustment.map(Value.int))
    return .object(members)
  }
}

extension OCISpec.User {
  var value: Value {
    var members: ValueObject = ["uid": .int(uid), "gid": .int(gid)]
    if !additionalGroups.isEmpty { members["additionalGids"] = .array(additionalGroups.map(Value.int)) }
    members.put("username", name.map(Value.string))
    return .object(members)
  }
}

extension OCISpec.Capabilities {
  var value: Value {
    var members = ValueObject()
    for (name, list) in [
      ("bounding", bounding), ("effective", effective), ("inheritable", inheritable), ("permitted", permitted),
      ("ambient", ambient),
    ] where !list.isEmpty { members[name] = Value(list) }
    return .object(members)
  }
}

extension OCISpec.ResourceLimit {
  var value: Value {
    ["type": .string(type), "hard": .int(Int(clamping: hard)), "soft": .int(Int(clamping: soft))]
  }
}

extension OCISpec.Mount {
  var value: Value {
    var members: ValueObject = [
      "destination": .string(destination), "type": .string(type), "source": .string(source),
    ]
    if !options.isEmpty { members["options"] = Value(options) }
    return .object(members)
  }
}

extension OCISpec.Hook {
  var value: Value {
    var members: ValueObject = ["path": .string(path), "args": Value(arguments)]
    if !environment.isEmpty { members["env"] = Value(environment) }
    members.put("timeout", timeoutSeconds.map(Value.int))
    return .object(members)
  }
}

extension OCISpec.Hooks {
  /// Nil when there is no hook.
  var value: Value? {
    var members = ValueObject()
    for (name, hooks) in [
      ("createRuntime", createRuntime), ("createContainer", createContainer), ("startContainer", startContainer),
      ("poststart", poststart), ("poststop", poststop),
    ] where !hooks.isEmpty { members[name] = .array(hooks.map(\.value)) }
    return members.isEmpty ? nil : .object(members)
  }
}

extension OCISpec.Linux {
  var value: Value {
    var members = ValueObject()
    if !sysctl.isEmpty { members["sysctl"] = .strings(sysctl) }
    members["resources"] = resources.value
    members.put("cgroupsPath", cgroupsPath.map(Value.string))
    members["namespaces"] = .array(namespaces.map(\.value))
    if !devices.isEmpty { members["devices"] = .array(devices.map(\.value)) }
    members.put("seccomp", seccomp)
    members.put("rootfsPropagation", rootfsPropagation.map(Value.string))
    if !maskedPaths.isEmpty { members["maskedPaths"] = Value(maskedPaths) }
    if !readonlyPaths.isEmpty { members["readonlyPaths"] = Value(readonlyPaths) }
    return .object(members)
  }
}

extension OCISpec.Namespace {
  var value: Value {
    var members: ValueObject = ["type": .string(kind.rawValue)]
    members.put("path", path.map(Value.string))
    return .object(members)
  }
}

extension OCISpec.Resources {
  var value: Value {
    var members = ValueObject()
    if !devices.isEmpty { members["devices"] = .array(devices.map(\.value)) }
    var memory = ValueObject()
    memory.put("limit", memoryLimit.map(Value.int))
    memory.put("swap", memorySwap.map(Value.int))
    if !memory.isEmpty { members["memory"] = .object(memory) }
    var cpu = ValueObject()
    cpu.put("shares", cpuShares.map(Value.int))
    cpu.put("quota", cpuQuota.map(Value.int))
    cpu.put("period", cpuPeriod.map(Value.int))
    if !cpu.isEmpty { members["cpu"] = .object(cpu) }
    if let pidsLimit { members["pids"] = ["limit": .int(pidsLimit)] }
    return .object(members)
  }
}

extension OCISpec.DeviceRule {
  var value: Value {
    var members: ValueObject = ["allow": .bool(allow), "type": .string(type)]
    members.put("major", major.map(Value.int))
    members.put("minor", minor.map(Value.int))
    members["access"] = .string(access)
    return .object(members)
  }
}

extension OCISpec.Device {
  var value: Value {
    [
      "path": .string(path), "type": .string(type), "major": .int(major), "minor": .int(minor),
      "fileMode": .int(mode), "uid": .int(uid), "gid": .int(gid),
    ]
  }
}

extension ValueObject {
  fileprivate mutating func put(_ name: String, _ value: Value?) {
    if let value { self[name] = value }
  }
}

extension Value {
  fileprivate static func strings(_ texts: [String: String]) -> Value {
    .object(ValueObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }
}
