import Formats
public import Logging
public import Surroundings

/// Renders templates with Ruby, each job in a sandbox of its own (`docs/decisions/templates-sandbox.md`).
public actor RubyRenderer: TemplateRenderer {
  private let configuration: RendererConfiguration
  private let surroundings: Surroundings
  private let logger: Logger

  public init(
    configuration: RendererConfiguration = RendererConfiguration(), surroundings: Surroundings, logger: Logger
  ) {
    self.configuration = configuration
    self.surroundings = surroundings
    self.logger = logger
  }

  public func render(_ request: GroupRenderRequest) async throws -> [RenderedJob] {
    throw DroverError(.unsupported, "rendering templates: not there yet")
  }

  /// Ends all Ruby processes and waits until they are gone. Jobs that are being rendered fail; later ones are refused.
  public func shutdown() async {}
}
