import AgentProtocol
import Surroundings

/// What a mail of monit says, by the format that stemcells give it (reference/agent.md 14, 15).
struct MonitMail: Sendable, Hashable {
  /// Of the mail, without its angle brackets.
  var id = ""
  var service = ""
  var event = ""
  var action = ""
  /// RFC 1123 text with a numeric zone.
  var date = ""
  var description = ""

  /// Takes one line of the mail, header or body: of fields that come twice the last one counts, as BOSH has it.
  mutating func add(_ line: String) {
    let line = line.trimmed
    if let value = line.value(of: "Message-id: "), value.first == "<", value.last == ">" {
      id = String(value.dropFirst().dropLast())
    } else if let value = line.value(of: "Service: ") {
      service = value
    } else if let value = line.value(of: "Event: ") {
      event = value
    } else if let value = line.value(of: "Action: ") {
      action = value
    } else if let value = line.value(of: "Date: ") {
      date = value
    } else if let value = line.value(of: "Description: ") {
      description = value
    }
  }

  /// Nil when the mail is about nothing, or about what nobody needs to know.
  ///
  /// - Parameters:
  ///   - fallbackID: for a mail without an id of its own.
  ///   - now: for a mail without a date that can be read.
  func alert(addresses: [String], fallbackID: String, now: Timestamp) -> Alert? {
    guard !service.isEmpty || !event.isEmpty, let severity = AlertLoop.severity(event) else { return nil }
    return Alert(
      id: id.isEmpty ? fallbackID : id, severity: severity,
      title: AlertLoop.title(service: service, addresses: addresses, event: event, action: action),
      summary: description, createdAt: MailDate.seconds(date) ?? now.seconds)
  }
}

/// Dates as mails have them: `Sat, 21 Nov 2026 09:23:04 +0000`.
enum MailDate {
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
  private static let weekdays: Set<Substring> = ["mon,", "tue,", "wed,", "thu,", "fri,", "sat,", "sun,"]

  /// Seconds since 1970; nil for anything else.
  static func seconds(_ text: String) -> Int? {
    let parts = text.lowercased().split(separator: " ")
    guard parts.count == 6, weekdays.contains(parts[0]), let day = number(parts[1]), (1...31).contains(day),
      let month = months.firstIndex(of: String(parts[2])), parts[3].utf8.count == 4, let year = number(parts[3]),
      let zone = zone(parts[5])
    else { return nil }
    let time = parts[4].split(separator: ":", omittingEmptySubsequences: false).map(number)
    guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2], hour < 24, minute < 60,
      second < 61
    else { return nil }
    return days(year, month + 1, day) * 86400 + hour * 3600 + minute * 60 + second - zone
  }

  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
  }

  /// `+0130` in seconds.
  private static func zone(_ text: Substring) -> Int? {
    guard let sign = text.first, sign == "+" || sign == "-", text.utf8.count == 5,
      let number = number(text.dropFirst())
    else { return nil }
    let seconds = number / 100 * 3600 + number % 100 * 60
    return sign == "-" ? -seconds : seconds
  }

  /// Days since 1970-01-01 in the Gregorian calendar; years are counted from March, so that the leap day is the last.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
  }
}

extension String {
  fileprivate var trimmed: Substring {
    let rest = drop { $0.isWhitespace }
    guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return rest[...last]
  }
}

extension Substring {
  fileprivate func value(of name: String) -> String? {
    hasPrefix(name) ? String(dropFirst(name.count).drop { $0.isWhitespace }) : nil
  }
}
