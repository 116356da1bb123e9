public import Formats

/// How long to wait for an instance to run: nothing is asked before `minimum`, and after `maximum` it has failed.
public struct WatchTime: Sendable, Hashable, CustomStringConvertible {
  /// Milliseconds.
  public let minimum: Int
  public let maximum: Int

  public init(minimum: Int, maximum: Int) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Reads `30000` or `"1000-30000"`, in milliseconds; one number is the maximum, and the minimum too.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ value: Value, name: String) throws {
    let parts = (value.scalarText ?? "").split(separator: "-", omittingEmptySubsequences: false).map {
      String($0).trimmed
    }
    let numbers = parts.compactMap { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int($0) : nil }
    guard numbers.count == parts.count, (1...2).contains(numbers.count), let minimum = numbers.first,
      let maximum = numbers.last, minimum <= maximum, maximum <= Self.longest
    else {
      throw DroverError(
        .invalid,
        "\(name): expected milliseconds such as 30000 or 1000-30000, found \(value.scalarText ?? value.kindName)",
        number: 180001)
    }
    self.init(minimum: minimum, maximum: maximum)
  }

  /// A year.
  private static let longest = 31_536_000_000

  public var description: String { "\(minimum)-\(maximum)" }
}

/// How instances are updated: the `update` section of a manifest or of an instance group
/// (`reference/director.md B.2`). A group's values go before the deployment's.
public struct UpdatePolicy: Sendable, Hashable {
  /// How a VM is replaced.
  public enum VMStrategy: String, CaseIterable, Sendable, Hashable {
    case deleteCreate = "delete-create"
    case createSwapDelete = "create-swap-delete"
  }

  /// Whether the first deploy goes AZ by AZ.
  public enum InitialAZStrategy: String, CaseIterable, Sendable, Hashable { case serial, parallel }

  public var canaries: Amount
  public var maxInFlight: Amount
  public var canaryWatchTime: WatchTime
  public var updateWatchTime: WatchTime
  /// False lets neighbouring groups that say so too be updated at the same time.
  public var serial: Bool
  public var vmStrategy: VMStrategy
  public var initialDeployAZUpdateStrategy: InitialAZStrategy

  public init(
    canaries: Amount, maxInFlight: Amount, canaryWatchTime: WatchTime, updateWatchTime: WatchTime,
    serial: Bool = true, vmStrategy: VMStrategy = .deleteCreate,
    initialDeployAZUpdateStrategy: InitialAZStrategy = .serial
  ) {
    self.canaries = canaries
    self.maxInFlight = maxInFlight
    self.canaryWatchTime = canaryWatchTime
    self.updateWatchTime = updateWatchTime
    self.serial = serial
    self.vmStrategy = vmStrategy
    self.initialDeployAZUpdateStrategy = initialDeployAZUpdateStrategy
  }

  /// Reads an `update` section; what it leaves out comes from `base`, and without one it must be there, but for those
  /// keys that have a default.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ reader: FieldReader, base: UpdatePolicy? = nil) throws {
    func read<T>(_ name: String, _ inherited: T?, _ make: (Value, String) throws -> T) throws -> T {
      if let value = reader.value(name) { return try make(value, reader.place(name)) }
      guard let inherited else { throw reader.error(name, "missing; expected a number") }
      return inherited
    }
    func choice<T: RawRepresentable & CaseIterable>(_ name: String, _ inherited: T) throws -> T
    where T.RawValue == String {
      try reader.optionalChoice(name) ?? inherited
    }
    self.init(
      canaries: try read("canaries", base?.canaries, Amount.init(reading:name:)),
      maxInFlight: try read("max_in_flight", base?.maxInFlight, Amount.init(reading:name:)),
      canaryWatchTime: try read("canary_watch_time", base?.canaryWatchTime, WatchTime.init),
      updateWatchTime: try read("update_watch_time", base?.updateWatchTime, WatchTime.init),
      serial: try reader.optionalBool("serial") ?? base?.serial ?? true,
      vmStrategy: try choice("vm_strategy", base?.vmStrategy ?? .deleteCreate),
      initialDeployAZUpdateStrategy: try choice(
        "initial_deploy_az_update_strategy", base?.initialDeployAZUpdateStrategy ?? .serial))
  }
}

extension Amount {
  /// Reads `3`, `"3"` or `"30%"`; `name` is what the message calls the field.
  init(reading value: Value, name: String) throws {
    do { self = try Amount(value.scalarText ?? value.kindName) } catch let error as DroverError {
      throw DroverError(error.code, "\(name): \(error.message)")
    }
  }
}
