import AgentProtocol
public import Formats
import Manifests

extension DeploymentPlan: CustomStringConvertible {
  /// The plan in lines, for people: what a dry run prints.
  public var lines: [String] {
    var lines: [String] = []
    if !compilations.isEmpty {
      lines.append("compile packages:")
      lines += compilations.map { "  \($0.label) for \($0.stemcell)" }
    }
    if !deletions.isEmpty {
      lines.append("delete unneeded instances:")
      lines += deletions.flatMap { $0.lines(indent: "  ") }
    }
    if !missingVMs.isEmpty {
      lines.append("create missing VMs:")
      for update in missingVMs {
        lines.append("  \(update.instance.label)")
        lines += update.creationSteps.map { "    \($0)" }
      }
    }
    for stage in stages {
      for group in stage {
        let together =
          stage.count == 1 ? "" : " (with \(stage.map(\.group).filter { $0 != group.group }.joined(separator: ", ")))"
        lines.append("update instance group \(group.group)\(together):")
        lines += group.lines
      }
    }
    return lines.isEmpty ? ["nothing to do"] : lines
  }

  public var description: String { lines.joined(separator: "\n") }

  /// The plan as a document.
  public var value: Value {
    [
      "deployment": .string(deployment),
      "compilations": .array(
        compilations.map { ["package": .string($0.label), "stemcell": .string($0.stemcell), "key": .string($0.key)] }),
      "deletions": .array(deletions.map(\.value)),
      "missing_vms": .array(missingVMs.map { .string($0.instance.label) }),
      "stages": .array(stages.map { .array($0.map(\.value)) }),
    ]
  }
}

extension GroupPlan {
  fileprivate var lines: [String] {
    var lines: [String] = []
    if !deletions.isEmpty {
      lines.append("  delete, up to \(deletionConcurrency) at once:")
      lines += deletions.flatMap { $0.lines(indent: "    ") }
    }
    let byID = Dictionary(updates.map { ($0.instance.id, $0) }, uniquingKeysWith: { first, _ in first })
    for batch in batches {
      lines.append(
        "  \(batch.isCanary ? "canaries" : "instances")\(batch.az.map { " in \($0)" } ?? ""), up to "
          + "\(batch.concurrency) at once:")
      for update in batch.instances.compactMap({ byID[$0] }) {
        let reasons = update.change.reasons.map(\.rawValue).joined(separator: ", ")
        lines.append("    \(update.instance.label): \(update.change.word)\(reasons.isEmpty ? "" : " (\(reasons))")")
        lines += update.steps.map { "      \($0)" }
      }
    }
    return lines
  }

  fileprivate var value: Value {
    [
      "group": .string(group), "deletions": .array(deletions.map(\.value)),
      "batches": .array(
        batches.map { batch in
          [
            "az": Value(batch.az), "canary": .bool(batch.isCanary), "concurrency": .int(batch.concurrency),
            "instances": Value(batch.instances),
          ]
        }),
      "updates": .array(
        updates.map { update in
          [
            "instance": .string(update.instance.label), "change": .string(update.change.word),
            "reasons": Value(update.change.reasons.map(\.rawValue)), "canary": .bool(update.isCanary),
            "steps": Value((update.creationSteps + update.steps).map(\.description)),
          ]
        }),
    ]
  }
}

extension InstanceDeletion {
  fileprivate func lines(indent: String) -> [String] {
    ["\(indent)\(instance.label)"] + steps.map { "\(indent)  \($0)" }
  }

  fileprivate var value: Value {
    ["instance": .string(instance.label), "steps": Value(steps.map(\.description))]
  }
}

extension InstanceStep: CustomStringConvertible {
  /// A line for people; it holds nothing secret.
  public var description: String {
    switch self {
    case .prepare: "prepare"
    case .preStop(let next):
      "run pre-stop (VM: \(next.vm.rawValue), instance: \(next.instance.rawValue), deployment: "
        + "\(next.deployment.rawValue))"
    case .drain(let kind): "drain (\(kind.rawValue))"
    case .stop: "stop"
    case .postStop: "run post-stop"
    case .createDisk(let disk): "create disk of \(disk.size) MB"
    case .attachDisk(let disk): "attach \(disk)"
    case .announceDisk(let disk): "announce \(disk) to the agent"
    case .mountDisk(let disk): "mount \(disk)"
    case .migrateDisk(let from, let to): "migrate \(from) to \(to)"
    case .unmountDisk(let disk): "unmount \(disk)"
    case .forgetDisk(let disk): "make the agent forget \(disk)"
    case .detachDisk(let disk): "detach \(disk)"
    case .orphanDisk(let disk): "orphan \(disk)"
    case .deleteVM: "delete VM"
    case .createVM: "create VM"
    case .setVMMetadata: "set VM metadata"
    case .waitForAgent: "wait for the agent"
    case .updateSettings: "update settings"
    case .applyIdentity: "apply identity"
    case .refreshAddresses: "ask for addresses and render again"
    case .apply: "apply"
    case .preStart: "run pre-start"
    case .start: "start"
    case .waitUntilRunning(let watch): "wait \(watch.minimum) to \(watch.maximum) ms until running"
    case .postStart: "run post-start"
    case .releaseAddresses: "release addresses"
    case .forgetInstance: "delete the instance's record"
    }
  }
}

extension InstanceStep.DiskReference: CustomStringConvertible {
  public var description: String {
    switch self {
    case .existing(let cid): "disk \(cid)"
    case .new: "the new disk"
    }
  }
}
