extension AgentMethod {
  /// How many arguments there must be at least (reference/agent.md 11). More are ignored.
  public var minimumArguments: Int {
    switch self {
    case .compilePackage: 5
    case .syncDNS: 3
    case .runScript, .fetchLogs, .ssh, .addPersistentDisk, .addDynamicDisk: 2
    case .getTask, .cancelTask, .prepare, .apply, .drain, .drainState, .drained, .readOutput,
      .compilePackageWithSignedURL,
      .fetchLogsWithSignedURL, .bundleLogs, .removeFile, .uploadBlob, .mountDisk, .unmountDisk,
      .removePersistentDisk, .removeDynamicDisk, .updateSettings, .syncDNSWithSignedURL, .deleteARPEntries:
      1
    default: 0
    }
  }
}
