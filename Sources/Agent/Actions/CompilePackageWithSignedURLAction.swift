import AgentProtocol
import Formats

/// Compiles a package whose source and result are reached by signed URLs.
struct CompilePackageWithSignedURLAction: AgentAction {
  let compiler: PackageCompiler
  let method = AgentMethod.compilePackageWithSignedURL
  let traits = ActionTraits(isAsynchronous: true, order: .serial, isCancellable: true)

  func run(_ call: TaskCall) async throws -> Value {
    let request = try call.reading { try CompileRequest(signed: call.arguments[0]) }
    return try await compiler.compile(request, call).value
  }
}
