import Director
import Formats
import Hummingbird

/// `/info` and other things about the server itself (reference/director.md A.1).
struct InfoRoutes: Sendable {
  let director: Director
  /// `path`, `expiry` (RFC 3339) and `days left` of the certificates that the server lives on.
  let certificateExpiries: @Sendable () async throws -> Value

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/info") { _, context in
      Response.json([
        "name": .string(director.identity.name), "uuid": .string(director.identity.id),
        "version": .string("\(director.identity.version) (00000000)"), "user": Value(context.user),
        "cpi": "runc", "stemcell_os": "-", "stemcell_version": "-",
        "user_authentication": ["type": "basic", "options": [:]],
        "features": [
          "local_dns": ["status": false, "extras": ["domain_name": "bosh"]],
          "snapshots": ["status": false, "extras": [:]],
          "config_server": ["status": false, "extras": ["urls": []]],
        ],
      ])
    }
    router.get("/director/certificate_expiry") { _, _ in Response.json(try await certificateExpiries()) }
    router.post("/server/drain") { _, context in Response.task(try await director.drainAll(user: context.userName)) }
    router.get("/locks") { _, _ in
      Response.json(
        Value.array(
          await director.tasks.heldLocks.flatMap { claim in
            claim.resources.keys.sorted().map { resource -> Value in
              let parts = resource.split(separator: ":", maxSplits: 1).map(String.init)
              return [
                "type": .string(parts.first ?? resource), "resource": .array(parts.dropFirst().map(Value.string)),
                "timeout": "0.0", "task_id": .string(String(claim.holder)),
              ]
            }
          }))
    }
  }
}
