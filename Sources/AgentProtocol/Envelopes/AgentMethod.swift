/// The names of the actions an agent understands (reference/agent.md 11). ``readOutput``,
/// ``drainState`` and ``drained`` are ours; ``state`` and those about
/// networks are what old directors send.
public enum AgentMethod: String, Sendable, CaseIterable {
  case ping
  case info
  case getState = "get_state"
  case state
  case getTask = "get_task"
  case cancelTask = "cancel_task"
  case prepare
  case apply
  case start
  case stop
  case drain
  case drainState = "drain_state"
  case drained
  case runScript = "run_script"
  case runErrand = "run_errand"
  case readOutput = "read_output"
  case compilePackage = "compile_package"
  case compilePackageWithSignedURL = "compile_package_with_signed_url"
  case fetchLogs = "fetch_logs"
  case fetchLogsWithSignedURL = "fetch_logs_with_signed_url"
  case bundleLogs = "bundle_logs"
  case removeFile = "remove_file"
  case uploadBlob = "upload_blob"
  case ssh
  case listDisk = "list_disk"
  case mountDisk = "mount_disk"
  case unmountDisk = "unmount_disk"
  case migrateDisk = "migrate_disk"
  case addPersistentDisk = "add_persistent_disk"
  case removePersistentDisk = "remove_persistent_disk"
  case addDynamicDisk = "add_dynamic_disk"
  case removeDynamicDisk = "remove_dynamic_disk"
  case updateSettings = "update_settings"
  case syncDNS = "sync_dns"
  case syncDNSWithSignedURL = "sync_dns_with_signed_url"
  case deleteARPEntries = "delete_arp_entries"
  case prepareNetworkChange = "prepare_network_change"
  case prepareConfigureNetworks = "prepare_configure_networks"
  case configureNetworks = "configure_networks"
  case shutdown
}
