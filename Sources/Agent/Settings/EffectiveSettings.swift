import AgentProtocol

/// The settings that count: the cloud's document, under what directors have changed since (reference/agent.md 3, 4).
struct EffectiveSettings: Sendable, Hashable {
  var document: AgentSettings
  var update: UpdateSettings
  /// What `add_persistent_disk` told, by CID.
  var diskHints: [String: DiskHint]

  var agentID: String { document.agentID }

  /// update_settings before env before `mbus`.
  var busURLs: [String] {
    if let urls = update.bus?.urls, !urls.isEmpty { return urls }
    if let urls = document.env.bus?.urls, !urls.isEmpty { return urls }
    return document.mbus.isEmpty ? [] : [document.mbus]
  }

  var busCertificate: BusSettings.Certificate? {
    if let certificate = update.bus?.certificate, !certificate.ca.isEmpty { return certificate }
    return document.env.bus?.certificate
  }

  var blobstore: BlobstoreSettings? {
    update.blobstores.first ?? document.env.blobstores.first ?? document.blobstore
  }

  /// All persistent disks that are known, by CID.
  var persistentDisks: [String: DiskHint] {
    document.disks.persistent.merging(diskHints) { _, hint in hint }
  }
}
