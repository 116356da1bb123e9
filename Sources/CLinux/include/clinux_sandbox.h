#ifndef DROVER_CLINUX_SANDBOX_H
#define DROVER_CLINUX_SANDBOX_H

#include <stddef.h>

/// What a program that runs in a sandbox sees and has. All arrays end with NULL; all paths are absolute.
struct drover_sandbox {
  /// Folders and files of this machine, read-only at the same path; the first must be a folder.
  const char *const *visible;
  /// Device files of this machine, usable at the same path.
  const char *const *devices;
  /// Symbolic links: path, target, path, target, …
  const char *const *links;
  /// A file made for the sandbox: its path and content.
  const char *file;
  const void *content;
  size_t content_size;
  /// The program's path, then its arguments. Its environment is empty.
  const char *const *arguments;
  /// Becomes the program's standard error; standard input and output are /dev/null.
  int errors;
  /// Becomes the program's descriptor 3, the only other one.
  int control;
};

/// Starts a program as process 1 of new pid, mount, network, ipc and uts namespaces, on a read-only root with nothing
/// but what `sandbox` names, as root without any capability but to change user (SETUID, SETGID) and to signal (KILL),
/// without a way to get new ones, and without the system calls of `deny_dangerous_calls`. It is killed when the thread
/// that started it ends.
///
/// Returns 0 and its process id, or an errno value and the step that failed.
int drover_sandbox_spawn(const struct drover_sandbox *sandbox, int *pid, const char **step);

/// Makes a pair of connected, close-on-exec Unix sockets that keep message boundaries, or not. Returns 0 or errno.
int drover_socket_pair(int keeps_boundaries, int sockets[2]);

/// Sends a message, and with it a descriptor unless that is -1. Returns 0 or errno; never raises SIGPIPE.
int drover_send_with_descriptor(int socket, const void *message, size_t size, int descriptor);

#endif
