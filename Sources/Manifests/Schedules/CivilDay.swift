/// A day of the Gregorian calendar.
struct CivilDay: Sendable, Hashable {
  let year: Int
  /// 1 to 12.
  let month: Int
  /// 1 to 31.
  let day: Int
  /// Days since 1970-01-01.
  let number: Int

  /// 0 is Sunday.
  var weekday: Int { (number % 7 + 11) % 7 }

  /// Years are counted from March, so that the leap day is the last one, in eras of 400 years.
  init(_ number: Int) {
    let shifted = number + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    self.number = number
  }

  /// Days from 1970-01-01 to a date, whose month may be beyond December.
  static func number(year: Int, month: Int, day: Int) -> Int {
    let year = year + floorDivide(month - 1, 12)
    let month = (month - 1) % 12 + 1
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = floorDivide(shiftedYear, 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
}

/// The quotient, rounded down.
func floorDivide(_ number: Int, _ divisor: Int) -> Int {
  let (quotient, rest) = number.quotientAndRemainder(dividingBy: divisor)
  return rest < 0 ? quotient - 1 : quotient
}

/// The quotient, rounded up.
func ceilDivide(_ number: Int, _ divisor: Int) -> Int { -floorDivide(-number, divisor) }
