import CLinux
import Files
import Formats
import Glibc

/// How a program is started; see `drover_spawn_options` for what a child inherits (nothing that is not named here).
struct Spawn {
  enum Separation {
    case none, group, session
    /// Own session, forked twice: a child of init that lives on when this process ends.
    case detached
  }

  var path: String
  var arguments: [String]
  var environment: [String: String]
  var directory: String?
  var cgroup: String?
  /// Descriptors of the three standard streams; nil is /dev/null.
  var input: Int32?
  var output: Int32?
  var errors: Int32?
  var separation = Separation.group
  var niceness = 0
  var umask: UInt32?
  var uid: UInt32?
  var gid: UInt32?

  /// Why a program could not be executed.
  struct Failure: Error {
    let number: Int32
    let stage: drover_spawn_stage
  }

  /// Starts the program and returns its pid once it has been executed.
  func start() throws(Failure) -> Int {
    var pid: Int32 = -1
    var stage: Int32 = 0
    let environmentLines = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let error = withCStrings(arguments) { argv in
      withCStrings(environmentLines) { envp in
        path.withCString { path in
          withOptionalCString(directory) { directory in
            withOptionalCString(cgroup.map { $0 + "/cgroup.procs" }) { cgroup in
              var options = drover_spawn_options()
              options.path = path
              options.argv = argv
              options.envp = envp
              options.directory = directory
              options.cgroup_procs = cgroup
              options.stdin_fd = input ?? -1
              options.stdout_fd = output ?? -1
              options.stderr_fd = errors ?? -1
              options.new_group = separation == .group ? 1 : 0
              options.new_session = separation == .session || separation == .detached ? 1 : 0
              options.detached = separation == .detached ? 1 : 0
              options.niceness = Int32(clamping: niceness)
              options.umask_bits = umask.map { Int32(clamping: $0) } ?? -1
              options.uid = uid.map(Int64.init) ?? -1
              options.gid = gid.map(Int64.init) ?? -1
              return drover_spawn(&options, &pid, &stage)
            }
          }
        }
      }
    }
    if error != 0 { throw Failure(number: error, stage: drover_spawn_stage(rawValue: UInt32(stage))) }
    return Int(pid)
  }
}

extension Spawn.Failure {
  /// What could not be done, in words, for a program that should run in a folder.
  func text(path: String, directory: String?) -> String {
    let reason = systemErrorText(number)
    switch stage {
    case DROVER_SPAWN_FORK: return "cannot start a process for \(path): \(reason)"
    case DROVER_SPAWN_SESSION: return "cannot make a session for \(path): \(reason)"
    case DROVER_SPAWN_CGROUP: return "cannot move \(path) into its cgroup: \(reason)"
    case DROVER_SPAWN_DIRECTORY: return "cannot run \(path) in \(directory ?? "/"): \(reason)"
    case DROVER_SPAWN_IDENTITY: return "cannot change user or group for \(path): \(reason)"
    case DROVER_SPAWN_DESCRIPTORS: return "cannot connect the output of \(path): \(reason)"
    default: return executionText(path, reason)
    }
  }

  private func executionText(_ path: String, _ reason: String) -> String {
    switch number {
    case ENOENT where Files.isVisible(path):
      return "cannot run \(path): the interpreter that its first line names is not there"
    case ENOENT: return "cannot run \(path): there is no such file"
    case EACCES where (try? Files.isFolder(path)) == true: return "cannot run \(path): it is a folder"
    case EACCES: return "cannot run \(path): it is not executable (or lies in a folder that may not be entered)"
    case ENOEXEC: return "cannot run \(path): it is neither a program nor a script that begins with #!"
    default: return "cannot run \(path): \(reason)"
    }
  }

  /// The failure as an error; a missing program is `notFound`, one that may not be executed `forbidden`.
  func error(path: String, directory: String?) -> DroverError {
    let code: DroverError.Code = number == ENOENT ? .notFound : number == EACCES ? .forbidden : .failed
    return DroverError(code, text(path: path, directory: directory))
  }
}

/// Calls with a NULL-ended array of C strings.
private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
  var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
  pointers.append(nil)
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeBufferPointer { buffer in
    if let base = buffer.baseAddress { return body(base) }
    var end: UnsafeMutablePointer<CChar>?
    return body(&end)
  }
}

private func withOptionalCString<R>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
  if let string { return string.withCString(body) }
  return body(nil)
}
