import AgentProtocol
import Formats
import Surroundings

/// Takes changed settings from the director (reference/agent.md 11). Another bus needs a new agent: it leaves, is
/// started again, and begins this task again, which then finds nothing left to change.
struct UpdateSettingsAction: AgentAction {
  let settings: SettingsStore
  let certificates: TrustedCertificates
  let disks: any DiskAttachment
  let layout: VMLayout
  let surroundings: Surroundings
  /// Ends the agent so that it is started again.
  let restart: @Sendable () -> Void
  let method = AgentMethod.updateSettings
  let traits = ActionTraits(isAsynchronous: true, order: .serial, isLoggable: false)

  func run(_ call: TaskCall) async throws -> Value {
    let wanted = try call.reading { try UpdateSettings(call.arguments[0]) }
    let before = try await settings.reload()
    for association in wanted.diskAssociations {
      guard let hint = before.persistentDisks[association.cid] else {
        throw DroverError(.notFound, "Persistent disk with volume id '\(association.cid)' could not be found")
      }
      try Links.link(
        "\(layout.instanceDisks)/\(SafeName.component(association.name, "disk name"))", to: await disks.path(hint))
    }
    try await certificates.replace(with: wanted.trustedCertificates)
    let merged = Self.merge(wanted, into: before.update)
    try await settings.keep(merged)
    let after = await settings.current
    if after.busURLs != before.busURLs || after.busCertificate != before.busCertificate {
      // Time for the answer to this request and for what was asked before.
      try await surroundings.sleep(.seconds(1))
      restart()
      try await surroundings.sleep(.seconds(60))
    }
    return "ok"
  }

  /// Certificates and associations are always replaced; bus and blobstores only when something is given.
  static func merge(_ wanted: UpdateSettings, into old: UpdateSettings) -> UpdateSettings {
    var merged = old
    merged.trustedCertificates = wanted.trustedCertificates
    merged.diskAssociations = wanted.diskAssociations
    if !wanted.blobstores.isEmpty { merged.blobstores = wanted.blobstores }
    if let bus = wanted.bus {
      var kept = old.bus ?? BusSettings(urls: [])
      if !bus.urls.isEmpty { kept.urls = bus.urls }
      if let certificate = bus.certificate, !certificate.ca.isEmpty || !certificate.certificate.isEmpty {
        kept.certificate = certificate
      }
      merged.bus = kept
    }
    return merged
  }
}
