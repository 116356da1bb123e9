import CLinux
import Formats
import Glibc

/// Process 1 of a sandbox, and the descriptors that lead to it.
struct SandboxProcess: Sendable {
  let pid: pid_t
  /// A socket that keeps message boundaries; the program's descriptor 3 is its other end.
  let control: CInt
  /// What the program writes to its standard error.
  let errors: CInt

  /// Starts the Ruby program of a worker. The process ends when the calling thread ends.
  ///
  /// - Throws: `DroverError` with code `unavailable` that names what this machine refused.
  static func start(_ plan: SandboxPlan, ruby: String) throws -> SandboxProcess {
    var control: [CInt] = [-1, -1]
    var errors: [CInt] = [-1, -1]
    var error = drover_socket_pair(1, &control)
    guard error == 0 else { throw failure("making a socket", error) }
    defer { close(control[1]) }
    error = drover_socket_pair(0, &errors)
    guard error == 0 else {
      close(control[0])
      throw failure("making a socket", error)
    }
    defer { close(errors[1]) }

    let program = "/renderer.rb"
    let arguments = [ruby, "-EUTF-8", "--disable=did_you_mean,error_highlight", program]
    let text = Array(RubyProgram.text.utf8)
    var pid: CInt = -1
    var step: UnsafePointer<CChar>?
    error = withCStrings(plan.visible) { visible in
      withCStrings(plan.devices) { devices in
        withCStrings(plan.links.flatMap { [$0.path, $0.target] }) { links in
          withCStrings(arguments) { arguments in
            program.withCString { file in
              text.withUnsafeBytes { content in
                var sandbox = drover_sandbox(
                  visible: visible, devices: devices, links: links, file: file, content: content.baseAddress,
                  content_size: content.count, arguments: arguments, errors: errors[1], control: control[1])
                return drover_sandbox_spawn(&sandbox, &pid, &step)
              }
            }
          }
        }
      }
    }
    guard error == 0 else {
      close(control[0])
      close(errors[0])
      throw failure(step.map { String(cString: $0) } ?? "starting", error)
    }
    return SandboxProcess(pid: pid, control: control[0], errors: errors[0])
  }

  private static func failure(_ step: String, _ error: CInt) -> DroverError {
    var text = "starting a sandbox for templates: \(step): \(systemErrorText(error))"
    if error == EPERM {
      text += "; it needs root with the capabilities SYS_ADMIN, SETPCAP, SETUID, SETGID and KILL"
    } else if error == ENOSYS {
      text += "; it needs Linux 5.12 or newer with seccomp"
    }
    return DroverError(.unavailable, text)
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws -> Result
) rethrows -> Result {
  var text: [CChar] = []
  var offsets: [Int] = []
  for string in strings {
    offsets.append(text.count)
    text += string.utf8CString
  }
  return try text.withUnsafeBufferPointer { text in
    var pointers: [UnsafePointer<CChar>?] = offsets.map { offset in text.baseAddress.map { $0 + offset } }
    pointers += [nil, nil]
    return try pointers.withUnsafeBufferPointer { try body($0.baseAddress) }
  }
}
