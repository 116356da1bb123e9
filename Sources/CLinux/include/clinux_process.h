#ifndef DROVER_CLINUX_PROCESS_H
#define DROVER_CLINUX_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/// Opens a pidfd for a process, close-on-exec. Returns the descriptor, or -1 with errno set.
int drover_pidfd_open(int pid);

/// Sends a signal through a pidfd, so that a recycled pid is never hit. Returns 0, or -1 with errno set.
int drover_pidfd_send_signal(int pidfd, int signal);

/// How a program is started. Nothing of the parent but what is named here reaches it: all signal handlers are reset, all
/// descriptors above 2 are closed.
struct drover_spawn_options {
  const char *path;           // the executable, not searched for
  char *const *argv;          // ends with NULL
  char *const *envp;          // ends with NULL
  const char *directory;      // working directory; NULL: the parent's
  const char *cgroup_procs;   // a cgroup.procs file the child writes itself into; NULL: none
  int stdin_fd;               // -1: /dev/null
  int stdout_fd;              // -1: /dev/null
  int stderr_fd;              // -1: /dev/null
  int new_group;              // own process group
  int new_session;            // own session (and group)
  int detached;               // forked twice: a child of init, not to be waited for
  int niceness;               // added to the parent's
  int umask_bits;             // -1: the parent's
  int64_t uid;                // -1: the parent's
  int64_t gid;                // -1: the parent's; otherwise the only group
};

/// At which step a child failed.
enum drover_spawn_stage {
  DROVER_SPAWN_FORK = 0,
  DROVER_SPAWN_DESCRIPTORS = 1,
  DROVER_SPAWN_SESSION = 2,
  DROVER_SPAWN_CGROUP = 3,
  DROVER_SPAWN_DIRECTORY = 4,
  DROVER_SPAWN_IDENTITY = 5,
  DROVER_SPAWN_EXEC = 6,
};

/// Starts a program and returns when it has been executed or could not be: 0 and its pid, or an errno and the stage.
int drover_spawn(const struct drover_spawn_options *options, int *pid, int *stage);

/// Waits for a child of ours; `block` 0 only looks. Returns 1 when it was reaped (then `code` is the exit status or, with
/// `signalled` 1, the signal), 0 when it still runs, -1 with errno set.
int drover_reap(int pid, int block, int *code, int *signalled);

/// An epoll instance, close-on-exec; -1 with errno set.
int drover_epoll_create(void);

/// Registers a descriptor for one report of input (or output, when `writable`) under a token. 0, or -1 with errno set.
int drover_epoll_add(int epoll, int fd, int writable, uint64_t token);

/// Takes a descriptor out again.
void drover_epoll_remove(int epoll, int fd);

/// Waits for reports; returns how many tokens were filled in, or -1 with errno set.
int drover_epoll_wait(int epoll, uint64_t *tokens, int maximum, int timeout_ms);

/// An empty file in memory without a name, close-on-exec, written at its end; -1 with errno set.
int drover_memory_file(void);

/// The same with these bytes in it.
int drover_memory_file_of(const void *bytes, size_t count);

/// A pipe whose ends (0 reads, 1 writes) are close-on-exec. 0, or -1 with errno set.
int drover_pipe(int ends[2]);

/// Nanoseconds since boot, suspended time included: the clock of start times in /proc/PID/stat.
int64_t drover_boot_nanoseconds(void);

/// Kernel clock ticks per second, the unit of times in /proc/PID/stat.
long drover_ticks_per_second(void);

#endif
