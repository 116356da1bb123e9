import CLinux

/// What every program does first.
public enum ProgramStart {
  /// From now on users and groups are those of `/etc`, and hosts those of `/etc/hosts` and DNS. To be called before
  /// anything else: a static executable crashes in name service modules of the machine it runs on.
  public static func useLocalNames() {
    // It fails only when memory has run out, and then the program will not come far.
    _ = drover_names_from_files()
  }
}
