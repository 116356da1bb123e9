import Director
import Hummingbird

/// `/disks` (reference/director.md A.8).
struct DiskRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/disks") { _, _ in Response.json(try await director.orphanDisksListing()) }
  }
}
