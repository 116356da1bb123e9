#define _GNU_SOURCE
#include "clinux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "writing.h"

int drover_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int drover_pidfd_send_signal(int pidfd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

// What a child tells its parent over a pipe that closes when it executes its program.
struct report {
  int is_pid;
  int value;
  int stage;
};

static void tell(int fd, int is_pid, int value, int stage) {
  struct report report = {is_pid, value, stage};
  ssize_t written;
  do {
    written = write(fd, &report, sizeof report);
  } while (written < 0 && errno == EINTR);
}

_Noreturn static void fail(int fd, int stage) {
  tell(fd, 0, errno, stage);
  _exit(127);
}

static int descriptor(int fd, int flags) {
  int source = fd < 0 ? open("/dev/null", flags | O_CLOEXEC) : fd;
  return source < 0 ? -1 : fcntl(source, F_DUPFD_CLOEXEC, 10);
}

static void enter_cgroup(const char *procs, int report) {
  int fd = open(procs, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "0", 1) != 1) fail(report, DROVER_SPAWN_CGROUP);
  close(fd);
}

// Raw system calls: the C library's forms try to change every thread of the process the child was forked from.
static void take_identity(const struct drover_spawn_options *options, int report) {
  if (options->gid >= 0) {
    gid_t gid = (gid_t)options->gid;
    if (syscall(SYS_setgroups, 1, &gid) != 0) fail(report, DROVER_SPAWN_IDENTITY);
    if (syscall(SYS_setresgid, gid, gid, gid) != 0) fail(report, DROVER_SPAWN_IDENTITY);
  }
  if (options->uid >= 0) {
    uid_t uid = (uid_t)options->uid;
    if (syscall(SYS_setresuid, uid, uid, uid) != 0) fail(report, DROVER_SPAWN_IDENTITY);
  }
}

_Noreturn static void become(const struct drover_spawn_options *options, int report) {
  if (options->new_session) {
    if (setsid() < 0 && getsid(0) != getpid()) fail(report, DROVER_SPAWN_SESSION);
  } else if (options->new_group && setpgid(0, 0) != 0) {
    fail(report, DROVER_SPAWN_SESSION);
  }
  int in = descriptor(options->stdin_fd, O_RDONLY);
  int out = descriptor(options->stdout_fd, O_WRONLY);
  int err = descriptor(options->stderr_fd, O_WRONLY);
  if (in < 0 || out < 0 || err < 0) fail(report, DROVER_SPAWN_DESCRIPTORS);
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) fail(report, DROVER_SPAWN_DESCRIPTORS);
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  if (options->cgroup_procs) enter_cgroup(options->cgroup_procs, report);
  if (options->niceness != 0) {
    int current = getpriority(PRIO_PROCESS, 0);
    setpriority(PRIO_PROCESS, 0, current + options->niceness);  // as the originals, not fatal
  }
  if (options->umask_bits >= 0) umask((mode_t)options->umask_bits);
  if (options->directory && chdir(options->directory) != 0) fail(report, DROVER_SPAWN_DIRECTORY);
  take_identity(options, report);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  // A program that was written a moment ago is busy as long as a child of another thread, between its fork and its exec,
  // has the descriptor that it was written by.
  struct timespec pause = {0, 10 * 1000 * 1000};
  for (int attempt = 0; attempt < 200; attempt++) {
    execve(options->path, options->argv, options->envp);
    if (errno != ETXTBSY) break;
    // Two children that wait like this must not have each other's.
    if (report > 3) syscall(SYS_close_range, 3U, (unsigned)report - 1, 0U);
    syscall(SYS_close_range, (unsigned)report + 1, ~0U, 0U);
    nanosleep(&pause, NULL);
  }
  fail(report, DROVER_SPAWN_EXEC);
}

// Reads reports until the pipe closes. Returns an errno, 0 when the program was executed.
static int listen_to(int fd, int *pid, int *stage) {
  int error = 0;
  struct report report;
  for (;;) {
    ssize_t count = read(fd, &report, sizeof report);
    if (count < 0 && errno == EINTR) continue;
    if (count != (ssize_t)sizeof report) return error;
    if (report.is_pid) {
      *pid = report.value;
    } else {
      error = report.value;
      *stage = report.stage;
    }
  }
}

struct launch {
  const struct drover_spawn_options *options;
  int report;
  char *stacks;  // one for the child, one for the grandchild
};

enum { STACK = 64 * 1024 };

static int grandchild_main(void *argument) {
  const struct launch *launch = argument;
  tell(launch->report, 1, getpid(), 0);
  become(launch->options, launch->report);
}

// A new process that runs `body`. It shares the memory of this one, whose thread waits until it has executed its program
// or ended: to copy the page tables of a large process, and to fault on each of its pages afterwards, would cost more
// than all else. A child that becomes another user has memory of its own, since one that shares it could be traced.
static pid_t begin(int (*body)(void *), struct launch *launch, int generation) {
  const struct drover_spawn_options *options = launch->options;
  if (options->uid < 0 && options->gid < 0) {
    char *top = launch->stacks + (generation + 1) * STACK;
    return clone(body, top, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
  }
  pid_t child = fork();
  if (child == 0) _exit(body(launch));
  return child;
}

static int child_main(void *argument) {
  struct launch *launch = argument;
  if (!launch->options->detached) become(launch->options, launch->report);
  if (setsid() < 0) fail(launch->report, DROVER_SPAWN_SESSION);
  if (begin(grandchild_main, launch, 1) < 0) fail(launch->report, DROVER_SPAWN_FORK);
  _exit(0);
}

int drover_spawn(const struct drover_spawn_options *options, int *pid, int *stage) {
  int ends[2];
  *pid = -1;
  *stage = DROVER_SPAWN_FORK;
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  // The report must not sit where the child's standard streams go.
  struct launch launch = {options, fcntl(ends[1], F_DUPFD_CLOEXEC, 3), NULL};
  int error = launch.report < 0 ? errno : 0;
  close(ends[1]);
  if (error == 0) {
    void *stacks = mmap(NULL, 2 * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stacks == MAP_FAILED) {
      error = errno;
      close(launch.report);
    }
    launch.stacks = stacks;
  }
  if (error != 0) {
    close(ends[0]);
    return error;
  }

  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pid_t child = begin(child_main, &launch, 0);
  error = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(launch.report);
  munmap(launch.stacks, 2 * STACK);
  if (error == 0) {
    *pid = child;
    error = listen_to(ends[0], pid, stage);
    if (error != 0 || options->detached) {
      while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
      }
    }
  }
  close(ends[0]);
  return error;
}

int drover_reap(int pid, int block, int *code, int *signalled) {
  int status;
  pid_t found;
  do {
    found = waitpid(pid, &status, block ? 0 : WNOHANG);
  } while (found < 0 && errno == EINTR);
  if (found < 0) return -1;
  if (found == 0) return 0;
  *signalled = WIFSIGNALED(status) ? 1 : 0;
  *code = *signalled ? WTERMSIG(status) : WEXITSTATUS(status);
  return 1;
}

int drover_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int drover_epoll_add(int epoll, int fd, int writable, uint64_t token) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = (writable ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT;
  event.data.u64 = token;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void drover_epoll_remove(int epoll, int fd) {
  struct epoll_event ignored;
  memset(&ignored, 0, sizeof ignored);
  epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &ignored);
}

int drover_epoll_wait(int epoll, uint64_t *tokens, int maximum, int timeout_ms) {
  struct epoll_event events[64];
  if (maximum > 64) maximum = 64;
  int count = epoll_wait(epoll, events, maximum, timeout_ms);
  for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
  return count;
}

int drover_memory_file(void) {
  int fd = memfd_create("output", MFD_CLOEXEC);
  if (fd >= 0) fcntl(fd, F_SETFL, O_APPEND);
  return fd;
}

int drover_memory_file_of(const void *bytes, size_t count) {
  int fd = drover_memory_file();
  if (fd < 0 || drover_write_all(fd, bytes, count) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int drover_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int64_t drover_boot_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

long drover_ticks_per_second(void) { return sysconf(_SC_CLK_TCK); }
