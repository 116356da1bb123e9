import AgentProtocol
public import Formats

/// The work of an `ssh` task: makes a user for one session on some VMs, or removes it (reference/director.md A.7).
struct SSHAccessTask: Sendable {
  let director: Director
  let context: TaskContext
  let order: SSHOrder

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: SSHOrder.self)
  }

  func run() async throws -> String? {
    let machines = try await director.machines(order.target, of: order.deployment)
    let replies = try await inParallel(machines, atMost: 32) { machine in
      do {
        return (machine, Result<Value, any Error>.success(try await ask(machine, order.arguments)))
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        return (machine, .failure(error))
      }
    }
    var hosts: [Value] = []
    var failures: [String] = []
    for (machine, reply) in replies {
      switch reply {
      case .success(let value): hosts.append(Self.host(machine, value))
      case .failure(let error): failures.append("\(machine.label): \(error)")
      }
    }
    switch order.command {
    case .setup(let user, _):
      guard failures.isEmpty else {
        // Nobody will come for the others.
        await tidy(user, replies.compactMap { machine, reply in (try? reply.get()) == nil ? nil : machine })
        throw DirectorFailure(100, status: 500, "ssh to \(order.target): \(failures.joined(separator: "; "))")
      }
    case .cleanup:
      for failure in failures { try await context.warn("A user for ssh may be left on \(failure)") }
    }
    try await context.output.result(JSON.bytes(.array(hosts)) + [0x0A])
    return nil
  }

  private func ask(_ machine: InstanceRecord, _ arguments: [Value]) async throws -> Value {
    guard let vm = machine.vm else { throw DroverError(.notFound, "it has no VM") }
    return try await director.client(vm.agentID, context.output).ask(
      .ssh, arguments, timeout: order.isSetup ? .seconds(15) : .seconds(5))
  }

  private func tidy(_ user: String, _ machines: [InstanceRecord]) async {
    for machine in machines {
      _ = try? await ask(machine, SSHOrder.Command.cleanup(pattern: "^\(user)$").arguments)
    }
  }

  private static func host(_ machine: InstanceRecord, _ reply: Value) -> Value {
    var host = reply.object ?? [:]
    host["id"] = .string(machine.id)
    host["index"] = .int(machine.index)
    host["job"] = .string(machine.group)
    return .object(host)
  }
}

/// The request of an `ssh` task.
public struct SSHOrder: Codable, Sendable, Hashable {
  public enum Command: Codable, Sendable, Hashable {
    case setup(user: String, publicKey: String)
    /// Users whose names match are removed.
    case cleanup(pattern: String)

    var name: String {
      switch self {
      case .setup: "setup"
      case .cleanup: "cleanup"
      }
    }

    /// As the agent's `ssh` takes them.
    var arguments: [Value] {
      switch self {
      case .setup(let user, let publicKey):
        [.string(name), ["user": .string(user), "public_key": .string(publicKey), "user_regex": ""]]
      case .cleanup(let pattern): [.string(name), ["user_regex": .string(pattern)]]
      }
    }
  }

  var deployment: String
  public var command: Command
  public var target: AccessTarget

  var arguments: [Value] { command.arguments }
  var isSetup: Bool { command.name == "setup" }

  /// Reads the body of `POST /deployments/D/ssh`.
  public init(deployment: String, _ fields: FieldReader) throws {
    self.deployment = deployment
    let parameters = try fields.reader("params")
    switch try fields.string("command") {
    case "setup":
      command = .setup(user: try parameters.string("user"), publicKey: try parameters.string("public_key"))
    case "cleanup": command = .cleanup(pattern: try parameters.string("user_regex"))
    case let other: throw fields.error("command", "expected 'setup' or 'cleanup', found '\(other)'")
    }
    target = try fields.optionalReader("target").map(AccessTarget.init) ?? AccessTarget()
  }
}
