import CLinux
import Glibc

/// What every program does first.
public enum ProgramStart {
  /// From now on users and groups are those of `/etc`, and hosts those of `/etc/hosts` and DNS. To be called before
  /// anything else: a static executable crashes in name service modules of the machine it runs on.
  public static func useLocalNames() {
    // It fails only when memory has run out, and then the program will not come far.
    _ = drover_names_from_files()
  }

  /// Runs a program in a task, and ends the process with the code it returns.
  ///
  /// - Parameter atOnce: what can be answered without waiting for anything is answered here, before there are tasks and
  ///   their threads; nil leaves it to the program.
  ///
  /// The first thread waits for signals, for ever. Dispatch's own way, `dispatchMain`, which a `main` that is
  /// asynchronous uses as well, unwinds that thread's stack, for which a static executable first sorts all its unwind
  /// tables: tens of milliseconds for nothing.
  public static func run(
    atOnce: () -> Int32? = { nil }, _ program: @escaping @Sendable () async -> Int32
  ) -> Never {
    useLocalNames()
    if let code = atOnce() { exit(code) }
    Task.detached { exit(await program()) }
    var none = sigset_t()
    sigemptyset(&none)
    while true { sigsuspend(&none) }
  }
}
