extension Cron {
  /// The first tick after a time, both in seconds since 1970-01-01 00:00 UTC, by the clocks of a time zone.
  ///
  /// Where clocks are put forward, a schedule that names its times of day (neither minute nor hour begin with `*`) ticks
  /// once at the change for all of its times that are left out. Where they are put back, its times come once, the first
  /// time. Other schedules go by what the clock shows: nothing in an hour that there is not, and an hour that comes
  /// twice counts twice. So does cron.
  public func next(after time: Int, in zone: ZoneRules) -> Int? {
    var now = (floorDivide(time, 60) + 1) * 60
    let horizon = now + Self.horizon
    while now < horizon {
      let span = zone.span(at: now)
      if let start = span.start, now <= ceilDivide(start, 60) * 60,
        skips(at: start, from: span.before, to: span.offset)
      {
        return ceilDivide(start, 60) * 60
      }
      var local = now + span.offset
      if isFixed, let start = span.start, span.before > span.offset {
        local = max(local, start + span.before)
      }
      let end = min(span.end ?? horizon, horizon)
      let limit = ceilDivide(end + span.offset, 60)
      if let found = next(from: ceilDivide(local, 60), before: limit) {
        return found * 60 - span.offset
      }
      now = ceilDivide(end, 60) * 60
    }
    return nil
  }

  /// Whether one of its times of day is left out where clocks are put forward.
  private func skips(at start: Int, from before: Int, to after: Int) -> Bool {
    guard isFixed, after > before else { return false }
    return next(from: ceilDivide(start + before, 60), before: ceilDivide(start + after, 60)) != nil
  }
}
