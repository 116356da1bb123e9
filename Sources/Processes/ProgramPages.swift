import CLinux

/// The pages of this program's own file.
public enum ProgramPages {
  /// Gives back those that are only read and that nobody needs now: starting touches far more of a program than its idle
  /// life does. What is needed again comes back by itself.
  public static func release() { drover_release_program() }
}

/// What the build was told about itself.
public enum ProgramVersion {
  /// The version in the environment of the build (DROVER_VERSION); empty when there was none.
  public static let stamped = String(cString: drover_stamped_version())
}
