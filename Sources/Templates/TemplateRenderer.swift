/// Turns the templates of an instance's jobs into files.
///
/// ``RubyRenderer`` is the real one; ``FixedRenderer`` serves simulations.
public protocol TemplateRenderer: Sendable {
  /// Renders every job of an instance: its monit file, its templates in their order, and `.bosh/links.json`.
  ///
  /// - Throws: ``TemplateFailure`` with all errors of all templates when a template cannot be rendered; `DroverError`
  ///   when no template could be tried (no Ruby, no sandbox, shut down); `CancellationError`.
  func render(_ request: GroupRenderRequest) async throws -> [RenderedJob]
}
