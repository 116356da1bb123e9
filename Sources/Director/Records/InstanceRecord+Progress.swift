import FoundationEssentials

extension InstanceRecord {
  /// As text, for ``InstanceProgress/base``.
  func baseText() throws -> String {
    var record = self
    record.progress = nil
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(record), as: UTF8.self)
  }

  /// Whether that task has begun with it and is not through.
  func isInWork(by task: Int?) -> Bool { task != nil && progress?.task == task && progress?.isFinished == false }

  /// The instance as that task has to plan from: as it was when it began with it, or as it is.
  func planned(by task: Int?) throws -> InstanceRecord {
    guard isInWork(by: task), let progress else { return self }
    var base = try JSONDecoder().decode(InstanceRecord.self, from: Data(progress.base.utf8))
    base.progress = progress
    return base
  }
}
