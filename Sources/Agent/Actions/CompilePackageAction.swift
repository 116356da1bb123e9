import AgentProtocol
import Formats

/// Compiles a package whose source is a blob and puts the result into the blobstore.
struct CompilePackageAction: AgentAction {
  let compiler: PackageCompiler
  let method = AgentMethod.compilePackage
  let traits = ActionTraits(isAsynchronous: true, order: .serial, isCancellable: true)

  func run(_ call: TaskCall) async throws -> Value {
    let request = try call.reading { try CompileRequest(arguments: call.arguments) }
    return try await compiler.compile(request, call).value
  }
}
