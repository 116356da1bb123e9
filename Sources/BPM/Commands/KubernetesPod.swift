import Containers
import Formats

/// The isolation of a process as a pod on a node that has the BOSH folders: the same command, user, environment,
/// capabilities, limits and mounts. What Kubernetes cannot say is said in annotations.
struct KubernetesPod {
  let spec: OCISpec
  let plan: ContainerSpec

  var text: String { YAML.text(value) }

  private var value: Value {
    var pod: ValueObject = [
      "restartPolicy": "Always",
      "terminationGracePeriodSeconds": .int(
        Int((plan.process.shutdownTimeout ?? Lifecycle.shutdownTimeout).components.seconds)),
      "hostNetwork": true, "automountServiceAccountToken": false, "enableServiceLinks": false,
    ]
    if plan.process.unsafe.usesHostProcesses { pod["hostPID"] = true }
    pod["containers"] = [.object(container)]
    pod["volumes"] = .array(binds.enumerated().map { index, mount in volume(index, mount) })
    var annotations: ValueObject = ["bpm.drover/container": .string(plan.names.containerID)]
    if !spec.process.resourceLimits.isEmpty {
      annotations["bpm.drover/rlimits"] = .string(
        spec.process.resourceLimits.map { "\($0.type)=\($0.hard)" }.joined(separator: " "))
    }
    if plan.process.shutdownSignal == "INT" { annotations["bpm.drover/stop-signal"] = "SIGINT" }
    if let pids = spec.linux.resources.pidsLimit { annotations["bpm.drover/pids-limit"] = .string("\(pids)") }
    return [
      "apiVersion": "v1", "kind": "Pod",
      "metadata": [
        "name": .string(Self.name(plan.names.name)), "labels": ["app": .string(Self.name(plan.names.job))],
        "annotations": .object(annotations),
      ],
      "spec": .object(pod),
    ]
  }

  /// Names of Kubernetes: lower case letters, digits and dashes.
  static func name(_ name: String) -> String {
    let mapped = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let trimmed = mapped.drop { $0 == "-" }.prefix(63).reversed().drop { $0 == "-" }.reversed()
    return trimmed.isEmpty ? "bpm" : String(trimmed)
  }

  private var binds: [OCISpec.Mount] { spec.mounts.filter { $0.type == "bind" } }

  private var container: ValueObject {
    var container: ValueObject = [
      "name": "process",
      // Any will do: everything that the process runs comes from the node's folders, which lie over the image's.
      "image": "debian:stable-slim",
      "command": Value(spec.process.arguments),
      "workingDir": .string(spec.process.directory),
      "env": .array(spec.process.environment.map(variable)),
      "securityContext": .object(securityContext),
      "volumeMounts": .array(binds.enumerated().map(mount)),
    ]
    if !resources.isEmpty { container["resources"] = .object(resources) }
    return container
  }

  private func variable(_ line: String) -> Value {
    let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    // `$(NAME)` would be replaced; `$$` is one `$`.
    return ["name": .string(parts[0]), "value": .string(parts.count > 1 ? parts[1].substituting(["$": "$$"]) : "")]
  }

  private var securityContext: ValueObject {
    var context: ValueObject = [
      "runAsUser": .int(spec.process.user.uid), "runAsGroup": .int(spec.process.user.gid),
      "allowPrivilegeEscalation": .bool(!spec.process.noNewPrivileges),
    ]
    let added = (spec.process.capabilities?.permitted ?? []).map { String($0.dropFirst("CAP_".count)) }
    context["capabilities"] = added.isEmpty ? ["drop": ["ALL"]] : ["drop": ["ALL"], "add": Value(added)]
    context["seccompProfile"] =
      spec.linux.hasSeccomp
      ? ["type": "Localhost", "localhostProfile": "bpm.json"] : ["type": "Unconfined"]
    return context
  }

  private var resources: ValueObject {
    var limits: ValueObject = [:]
    var requests: ValueObject = [:]
    if let memory = spec.linux.resources.memoryLimit { limits["memory"] = .string("\(memory)") }
    if let quota = spec.linux.resources.cpuQuota { limits["cpu"] = .string("\(quota / 100)m") }
    if let shares = spec.linux.resources.cpuShares { requests["cpu"] = .string("\(shares * 1000 / 1024)m") }
    var resources: ValueObject = [:]
    if !limits.isEmpty { resources["limits"] = .object(limits) }
    if !requests.isEmpty { resources["requests"] = .object(requests) }
    return resources
  }

  private func mount(_ index: Int, _ mount: OCISpec.Mount) -> Value {
    var members: ValueObject = ["name": .string("mount-\(index)"), "mountPath": .string(mount.destination)]
    if !mount.options.contains("rw") { members["readOnly"] = true }
    return .object(members)
  }

  private func volume(_ index: Int, _ mount: OCISpec.Mount) -> Value {
    ["name": .string("mount-\(index)"), "hostPath": ["path": .string(mount.source)]]
  }
}
