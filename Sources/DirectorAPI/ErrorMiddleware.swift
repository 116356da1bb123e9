import Director
import Formats
import HTTPTypes
import Hummingbird
import Logging

/// Turns whatever went wrong into the status and body that clients of a director expect.
struct ErrorMiddleware<Context: RequestContext>: RouterMiddleware {
  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError where error.status == .notFound {
      return .text("Endpoint '\(request.uri.path)' not found.", .notFound)
    } catch let error as HTTPError {
      return .failure(DirectorFailure(40000, status: error.status.code, error.body ?? "\(error.status)"))
    } catch {
      let failure = DirectorFailure.describing(error)
      if failure.status >= 500 {
        context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(failure)"])
      }
      return .failure(failure)
    }
  }
}
