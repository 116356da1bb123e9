import Director
import Formats
import HTTPTypes
import Hummingbird

/// `/variables`: what values the names have that manifests write in `((…))`. Drover's own: BOSH leaves them to a server of
/// their own. Names have slashes, so that they stand in the query.
struct VariableRoutes: Sendable {
  let director: Director

  func add(to router: Router<DirectorRequestContext>) {
    router.get("/deployments/:name/variables") { _, context in
      Response.json(try await director.variables(of: try context.named("name")))
    }
    router.get("/variables") { request, _ in
      Response.json(try await director.variablesListing(prefix: request.query("prefix") ?? ""))
    }
    router.get("/variables/value") { request, _ in Response.json(try await director.variable(try name(request))) }
    router.put("/variables/value") { request, _ in
      let fields = try await request.bodyFields()
      guard let value = fields.value("value"), !value.isNull else {
        throw DroverError(.invalid, "\(fields.place("value")): missing; expected what the variable is to be")
      }
      let type = try fields.optionalString("type") ?? "value"
      return Response.json(try await director.setVariable(try name(request), value, type: type))
    }
    router.post("/variables/rotate") { request, _ in
      Response.json(try await director.rotateVariable(try name(request)))
    }
    router.delete("/variables/value") { request, _ in
      try await director.deleteVariable(try name(request))
      return Response.noContent
    }
  }

  private func name(_ request: Request) throws -> String {
    guard let name = request.query("name") else {
      throw DroverError(.invalid, "query parameter 'name': missing; expected the full name of a variable")
    }
    return name
  }
}
