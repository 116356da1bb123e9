public import PoolsProtocol
public import Surroundings

/// What those who lease, clean, build and watch ask of pools: over HTTP with ``PoolsClient``, or inside the server
/// itself. Everything is asked as one owner, and failures are ``PoolsClientError`` either way.
public protocol PoolsAccess: Sendable {
  /// In whose name it leases.
  var owner: String { get }
  var surroundings: Surroundings { get }

  /// Leases a resource, if there is one now.
  ///
  /// - Throws: ``PoolsClientError/notFound`` or ``PoolsClientError/typeNotFound`` when there is none.
  func acquire(
    type: String, from state: String, to destination: String, requestID: String?, isIdempotent: Bool
  ) async throws -> PooledResource

  /// Waits in line for a resource; nil waits until the task is cancelled.
  func acquireWaiting(
    type: String, from state: String, to destination: String, requestID: String?, timeout: Duration?
  ) async throws -> PooledResource

  /// Leases all of these, or none. A type is needed where names are unique per type only, and several match.
  func acquire(
    names: [String], type: String?, from state: String, to destination: String
  ) async throws -> [PooledResource]

  /// Hands a resource back.
  func release(_ name: String, type: String?, to destination: String) async throws

  /// Says that the caller still holds a resource, and lays new user data over the old; an empty value deletes its key.
  func update(_ name: String, type: String?, state: String, userData: [String: String]?) async throws

  /// Takes back what was silent for so long; who held what, by the resources' names.
  func reset(
    type: String, state: String, expiry: Duration, to destination: String
  ) async throws -> [String: String]

  /// How many resources of the type are in which state and with which owner.
  func metric(_ type: String) async throws -> PoolMetric

  /// Tells the server how work on a resource that the caller holds has ended, so that it can be looked at there.
  ///
  /// - Returns: how often it failed one after the other, this time included; nil from a server that keeps no account.
  func report(_ report: WorkReport) async throws -> Int?
}

extension PoolsAccess {
  /// Leases a resource, if there is one now.
  public func acquire(type: String, from state: String, to destination: String) async throws -> PooledResource {
    try await acquire(type: type, from: state, to: destination, requestID: nil, isIdempotent: false)
  }

  /// Leases a resource; nil when there is none now.
  public func acquireIfAny(
    type: String, from state: String, to destination: String
  ) async throws -> PooledResource? {
    do {
      return try await acquire(type: type, from: state, to: destination)
    } catch let error as PoolsClientError where [.notFound, .typeNotFound].contains(error) {
      return nil
    }
  }

  /// Hands a resource back.
  public func release(_ resource: PooledResource, to destination: String) async throws {
    try await release(resource.name, type: resource.type, to: destination)
  }

  /// Says that the caller still holds a resource, and lays new user data over the old.
  public func update(_ resource: PooledResource, userData: [String: String]? = nil) async throws {
    try await update(resource.name, type: resource.type, state: resource.state, userData: userData)
  }
}

/// How the work of a janitor or a mason on a resource ended.
public struct WorkReport: Sendable, Hashable {
  /// More of what the work wrote is not kept, in bytes: the last part is.
  public static let longestLog = 4 << 10

  public enum Kind: String, Sendable, Hashable { case clean, build }

  public var name: String
  public var type: String
  public var kind: Kind
  public var succeeded: Bool
  /// `exited with 1`, `took longer than 20m0s`.
  public var ending: String
  /// How long it took.
  public var duration: Duration
  /// The last part of what it wrote.
  public var log: String
  /// Tells it from other work when it is told again, inside a server; empty where nobody tells twice.
  public var run: String

  public init(
    name: String, type: String, kind: Kind, succeeded: Bool, ending: String, duration: Duration, log: String,
    run: String = ""
  ) {
    self.name = name
    self.type = type
    self.kind = kind
    self.succeeded = succeeded
    self.ending = ending
    self.duration = duration
    self.log = Self.tail(log)
    self.run = run
  }

  /// The last part of a text, from the beginning of a line on where there is one.
  private static func tail(_ text: String) -> String {
    guard text.utf8.count > longestLog else { return text }
    let bytes = Array(text.utf8.suffix(longestLog))
    let line = bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let start = line < longestLog / 2 ? line : 0
    // Half a character at the cut is left out.
    let rest = bytes[start...].drop { $0 & 0xC0 == 0x80 }
    return String(decoding: rest, as: UTF8.self)
  }
}
