#ifndef DROVER_CLINUX_DETACHED_H
#define DROVER_CLINUX_DETACHED_H

/// Starts a program (found in PATH if it has no slash) in a session of its own, with default signals, /dev/null as its
/// input, its output appended to a log (made 0600), and no other descriptor of ours.
/// Returns 0 and sets *pid, or returns an errno. The process is a child of ours until we end.
int drover_spawn_detached(const char *program, char *const argv[], char *const envp[], const char *log, int *pid);

#endif
