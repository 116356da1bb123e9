extension RuncCloud: CloudProvider {
  public func info() async throws -> CloudInfo { CloudInfo(stemcellFormats: ["drover-runc"], apiVersion: 2) }
}
