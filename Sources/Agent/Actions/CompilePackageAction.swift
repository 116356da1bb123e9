import AgentProtocol
import Formats

/// Compiles a package whose source is a blob and puts the result into the blobstore.
struct CompilePackageAction: AgentAction {
  let compiler: PackageCompiler
  let method = AgentMethod.compilePackage
  let traits = ActionTraits(isAsynchronous: true, order: .serial, isCancellable: true)

  func run(_ call: TaskCall) async throws -> Value {
    try await compiler.compile(CompileRequest(arguments: call.arguments), call).value
  }
}
