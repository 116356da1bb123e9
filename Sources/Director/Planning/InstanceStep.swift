public import AgentProtocol
public import Manifests

/// One step of an instance's update, in the order of `reference/director.md C.6`.
public enum InstanceStep: Sendable, Hashable {
  /// Agent: fetch what the spec names, before anything is stopped.
  case prepare
  case preStop(NextStates)
  case drain(DrainKind)
  case stop
  case postStop
  /// Agent and CPI: the disk steps name the disk that they are about.
  case createDisk(ResolvedDisk)
  case attachDisk(DiskReference)
  /// Agent: `add_persistent_disk` with the CPI's hint.
  case announceDisk(DiskReference)
  case mountDisk(DiskReference)
  case migrateDisk(from: DiskReference, to: DiskReference)
  case unmountDisk(DiskReference)
  /// Agent: `remove_persistent_disk`.
  case forgetDisk(DiskReference)
  case detachDisk(DiskReference)
  /// The disk stays for some days without an instance.
  case orphanDisk(DiskReference)
  case deleteVM
  case createVM
  case setVMMetadata
  /// Ping until there is an answer.
  case waitForAgent
  case updateSettings
  /// `apply` with networks and identity alone, so that the agent knows who it is.
  case applyIdentity
  /// Ask for the addresses of dynamic networks, and render again with them.
  case refreshAddresses
  case apply
  case preStart
  case start
  case waitUntilRunning(WatchTime)
  case postStart
  /// Give back addresses that the instance has no more use for.
  case releaseAddresses
  /// The instance's record goes.
  case forgetInstance

  /// Which disk.
  public enum DiskReference: Sendable, Hashable {
    /// By its CPI id.
    case existing(String)
    /// The one that `createDisk` has just made.
    case new
  }

  /// What comes after, as `pre-stop` scripts are told (`reference/lifecycle.md 1.2`).
  public struct NextStates: Sendable, Hashable {
    public enum Next: String, Sendable, Hashable { case keep, delete }

    public var vm: Next
    public var instance: Next
    public var deployment: Next

    public static let keepVM = NextStates(vm: .keep, instance: .keep, deployment: .keep)
    public static let deleteVM = NextStates(vm: .delete, instance: .keep, deployment: .keep)
    public static let deleteInstance = NextStates(vm: .delete, instance: .delete, deployment: .keep)
    public static let deleteDeployment = NextStates(vm: .delete, instance: .delete, deployment: .delete)

    public var environment: [String: String] {
      [
        "BOSH_VM_NEXT_STATE": vm.rawValue, "BOSH_INSTANCE_NEXT_STATE": instance.rawValue,
        "BOSH_DEPLOYMENT_NEXT_STATE": deployment.rawValue,
      ]
    }
  }
}
