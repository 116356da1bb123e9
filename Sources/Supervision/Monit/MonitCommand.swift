import Formats

/// What the `monit` command was told to do.
enum MonitCommand: Sendable, Hashable {
  case summary(group: String?)
  case status(group: String?)
  /// For one service; nil is for all, or for those of the group.
  case act(ServiceAction, service: String?, group: String?)
  case reload
  /// Whether the control files can be read.
  case check
  /// Whether somebody supervises.
  case poke
  case version
  case help

  /// - Throws: ``DroverError`` with what to print.
  init(_ arguments: [String]) throws {
    var words: [String] = []
    var group: String?
    var rest = arguments[...]
    while let word = rest.popFirst() {
      switch word {
      case "-g":
        guard let name = rest.popFirst() else { throw DroverError(.invalid, "-g needs the name of a group") }
        group = name
      case "-c", "-d", "-l", "-p", "-s":
        // About a daemon of its own, which there is not.
        guard rest.popFirst() != nil else { throw DroverError(.invalid, "\(word) needs an argument") }
      case "-v", "-I": break
      case "-t":
        self = .check
        return
      case "-V":
        self = .version
        return
      case "-h", "--help":
        self = .help
        return
      default:
        if word.hasPrefix("-") {
          throw DroverError(.invalid, "invalid option -- \(word)  (-h will show valid arguments)")
        }
        words.append(word)
      }
    }
    guard let verb = words.first else {
      self = .poke
      return
    }
    if let action = ServiceAction(rawValue: verb) {
      let name = words.count > 1 ? words[1] : nil
      guard name != nil || group != nil else {
        throw DroverError(.invalid, "please specify the configured service name or 'all' after \(verb)")
      }
      self = .act(action, service: name == "all" ? nil : name, group: group)
      return
    }
    switch verb {
    case "summary": self = .summary(group: group)
    case "status": self = .status(group: group)
    case "reload": self = .reload
    case "quit", "validate", "procmatch":
      throw DroverError(.unsupported, "\(verb) is not possible: the agent supervises, and never stops doing so")
    default: throw DroverError(.invalid, "invalid argument -- \(verb)  (-h will show valid arguments)")
    }
  }

  /// The request that does it.
  func request(waits: Bool) -> (method: String, target: String, body: String)? {
    let wait = waits ? "&wait=1" : ""
    switch self {
    case .summary(let group):
      return ("GET", "/_status?format=text&level=summary" + (group.map { "&group=\(Self.encode($0))" } ?? ""), "")
    case .status(let group):
      return ("GET", "/_status?format=text&level=full" + (group.map { "&group=\(Self.encode($0))" } ?? ""), "")
    case .act(let action, let service?, _):
      return ("POST", "/\(Self.encode(service))", "action=\(action.rawValue)\(wait)")
    case .act(let action, nil, let group):
      return (
        "POST", "/_all", "action=\(action.rawValue)\(wait)" + (group.map { "&group=\(Self.encode($0))" } ?? "")
      )
    case .reload: return ("POST", "/_reload", "")
    case .poke: return ("GET", "/_ping", "")
    case .check, .version, .help: return nil
    }
  }

  private static func encode(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static let usage = """
    Usage: monit [options] {arguments}
    Talks to the agent, which supervises this VM's services by their monit files.

     summary                     one line for each service
     status                      all that is known of each service
     start NAME | all            start, and wait until it runs (with all it depends on)
     stop NAME | all             stop, and wait until it is gone (with all that depend on it)
     restart NAME | all          stop and start, and wait
     monitor NAME | all          watch again; what does not run is started
     unmonitor NAME | all        no longer watch; the process is left alone
     reload                      read the control files again

     -g GROUP                    only the services of a group
     -t                          check the control files
     -V                          the version of monit that is imitated
     -h                          this text
     -c, -d, -l, -p, -s X, -v, -I  accepted and ignored

    Exit status: 0 done, 1 not done. Started by a service's own program, it does not wait.

    """
}
