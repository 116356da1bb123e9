import CLinux

/// The pages of this program's own file.
public enum ProgramPages {
  /// Gives back those that are only read and that nobody needs now: starting touches far more of a program than its idle
  /// life does. What is needed again comes back by itself.
  public static func release() { drover_release_program() }
}
