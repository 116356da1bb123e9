#define _GNU_SOURCE
#include "clinux_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clinux_process.h"
#include "writing.h"

// What is read of a run's `spec`; the strings lie in its bytes.
struct spec {
  struct drover_spawn_options options;
  const char *outputs[2];  // paths; NULL: a file of the run's own
  char **arguments;
  char **variables;
};

static const char *const own_files[2] = {"stdout", "stderr"};

static int complain(const char *folder, const char *what) {
  int error = errno;
  dprintf(STDERR_FILENO, "runner: %s: %s%s%s\n", folder, what, error ? ": " : "", error ? strerror(error) : "");
  return 1;
}

// MARK: Files

// The whole file with a NUL behind it, to be freed; NULL with errno set.
static char *read_all(const char *path, size_t *count) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  size_t room = 4096, filled = 0;
  char *bytes = malloc(room);
  while (bytes) {
    ssize_t found = read(fd, bytes + filled, room - filled - 1);
    if (found < 0 && errno == EINTR) continue;
    if (found < 0) {
      free(bytes);
      bytes = NULL;
      break;
    }
    if (found == 0) break;
    filled += (size_t)found;
    if (room - filled > 1) continue;
    char *larger = realloc(bytes, room *= 2);
    if (!larger) free(bytes);
    bytes = larger;
  }
  close(fd);
  if (bytes) bytes[filled] = 0;
  *count = filled;
  return bytes;
}

// A new file beside the one of that name in the current folder. 0, or -1 with errno set and nothing left.
static int write_beside(char *temporary, size_t room, const char *name, const char *text, int is_durable) {
  snprintf(temporary, room, "%s.new.%d", name, getpid());
  unlink(temporary);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  int failed = drover_write_all(fd, text, strlen(text)) != 0 || (is_durable && fsync(fd) != 0);
  int error = errno;
  close(fd);
  if (failed) unlink(temporary);
  errno = error;
  return failed ? -1 : 0;
}

static int sync_folder(void) {
  int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int failed = fsync(fd);
  int error = errno;
  close(fd);
  errno = error;
  return failed;
}

// Makes or replaces a file: all see it whole or not at all, but for those after a power cut.
static int replace(const char *name, const char *text) {
  char temporary[64];
  if (write_beside(temporary, sizeof temporary, name, text, 0) != 0) return -1;
  if (rename(temporary, name) != 0) {
    int error = errno;
    unlink(temporary);
    errno = error;
    return -1;
  }
  return 0;
}

// Makes a file that is not there, so that it is there also after a power cut: 1, 0 when it was there, -1 with errno set.
static int create(const char *name, const char *text) {
  char temporary[64];
  if (write_beside(temporary, sizeof temporary, name, text, 1) != 0) return -1;
  int failed = link(temporary, name);
  int error = errno;
  unlink(temporary);
  errno = error;
  if (failed) return error == EEXIST ? 0 : -1;
  return sync_folder() == 0 ? 1 : -1;
}

// MARK: Who is who

// The clock ticks after boot at which a process was started, the 22nd field of its stat; -1 when there is none.
static int64_t start_of(int pid) {
  char path[64];
  size_t count;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  char *text = read_all(path, &count);
  if (!text) return -1;
  int64_t start = -1;
  char *field = strrchr(text, ')');  // the name before it may hold blanks
  for (int number = 2; field && number < 22; number++) field = strchr(field + 1, ' ');
  if (field) start = strtoll(field + 1, NULL, 10);
  free(text);
  return start;
}

// As `ProcessIdentity` has it.
static int identity(char *text, size_t room, int pid) {
  int64_t start = start_of(pid);
  if (start < 0) return -1;
  size_t count;
  char *boot = read_all("/proc/sys/kernel/random/boot_id", &count);
  if (boot) boot[strcspn(boot, " \t\r\n")] = 0;
  snprintf(
    text, room, "{\"pid\":%d,\"start\":\"%" PRId64 "\",\"boot\":\"%.80s\"}", pid, start, boot ? boot : "");
  free(boot);
  return 0;
}

// MARK: The spec

static const char *value_of(const char *string, const char *name) {
  size_t length = strlen(name);
  return strncmp(string, name, length) == 0 && string[length] == '=' ? string + length + 1 : NULL;
}

static int take(struct spec *spec, char *string, size_t *argument, size_t *variable) {
  struct drover_spawn_options *options = &spec->options;
  const char *value;
  if ((value = value_of(string, "argument"))) spec->arguments[(*argument)++] = (char *)value;
  else if ((value = value_of(string, "variable")) && strchr(value, '=')) spec->variables[(*variable)++] = (char *)value;
  else if ((value = value_of(string, "directory"))) options->directory = value;
  else if ((value = value_of(string, "cgroup_procs"))) options->cgroup_procs = value;
  else if ((value = value_of(string, "stdout"))) spec->outputs[0] = value;
  else if ((value = value_of(string, "stderr"))) spec->outputs[1] = value;
  else if ((value = value_of(string, "niceness"))) options->niceness = atoi(value);
  else if ((value = value_of(string, "umask"))) options->umask_bits = atoi(value);
  else if ((value = value_of(string, "uid"))) options->uid = atoll(value);
  else if ((value = value_of(string, "gid"))) options->gid = atoll(value);
  else return value_of(string, "output_limit") ? 0 : -1;  // which is for those who read the output
  return 0;
}

// 0, or -1 when it is not what `ScriptSpec` writes.
static int read_spec(struct spec *spec) {
  size_t count;
  char *bytes = read_all("spec", &count);
  if (!bytes) return -1;
  errno = 0;
  if (count == 0 || bytes[count - 1] != 0) return -1;
  size_t strings = 0, argument = 0, variable = 0;
  for (size_t i = 0; i < count; i++) strings += bytes[i] == 0;
  memset(spec, 0, sizeof *spec);
  spec->options.stdin_fd = -1;
  spec->options.umask_bits = -1;
  spec->options.uid = -1;
  spec->options.gid = -1;
  spec->options.new_session = 1;
  spec->arguments = calloc(strings + 1, sizeof *spec->arguments);
  spec->variables = calloc(strings + 1, sizeof *spec->variables);
  if (!spec->arguments || !spec->variables) return -1;
  for (char *string = bytes; string < bytes + count; string += strlen(string) + 1) {
    if (take(spec, string, &argument, &variable) != 0) return -1;
  }
  if (argument == 0) return -1;
  spec->options.path = spec->arguments[0];
  spec->options.argv = spec->arguments;
  spec->options.envp = spec->variables;
  return 0;
}

// MARK: The run

// Starts the script; 0 and its pid, or an errno and the stage.
static int start(struct spec *spec, int *pid, int *stage) {
  int fds[2] = {-1, -1};
  mode_t before = umask(0);
  for (int i = 0; i < 2; i++) {
    const char *path = spec->outputs[i] ? spec->outputs[i] : own_files[i];
    *stage = i == 0 ? DROVER_RUNNER_STDOUT : DROVER_RUNNER_STDERR;
    fds[i] = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fds[i] < 0) break;
  }
  int error = errno;
  umask(before);
  if (fds[0] >= 0 && fds[1] >= 0) {
    spec->options.stdout_fd = fds[0];
    spec->options.stderr_fd = fds[1];
    error = drover_spawn(&spec->options, pid, stage);
  }
  for (int i = 0; i < 2; i++) {
    if (fds[i] >= 0) close(fds[i]);
  }
  return error;
}

static void add(char *text, size_t room, const char *format, ...) {
  size_t length = strlen(text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + length, room - length, format, arguments);
  va_end(arguments);
}

// Writes down how the script ended. A full disk may pass, so it is tried for as long as it takes. Not synced: who waits for
// it writes down what became of it, and that is.
static int finish(const char *folder, const char *how, const struct spec *spec) {
  char text[512];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(text, sizeof text, "{\"ended\":%" PRId64, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
  for (int i = 0; spec && i < 2; i++) {
    struct stat file;
    if (spec->outputs[i] || stat(own_files[i], &file) != 0) continue;
    add(text, sizeof text, ",\"%s_size\":%" PRId64, own_files[i], (int64_t)file.st_size);
  }
  add(text, sizeof text, ",%s}", how);
  while (replace("exit.json", text) != 0) {
    // A folder that was removed takes no more files.
    int error = errno;
    struct stat here;
    int is_gone = stat(".", &here) != 0 || here.st_nlink == 0;
    errno = error;
    if (is_gone) return complain(folder, "writing down how the script ended");
    sleep(1);
  }
  return 0;
}

static int wait_for(int pid, char *how, size_t room) {
  int code, signalled;
  if (drover_reap(pid, 1, &code, &signalled) != 1) return snprintf(how, room, "\"lost\":true");
  return snprintf(how, room, "\"%s\":%d", signalled ? "signal" : "code", code);
}

static int run(const char *folder) {
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  errno = 0;
  if (chdir(folder) != 0) return complain(folder, "entering the folder of a run");
  // Held until the script runs: a second runner waits for the decision of the first one, and then leaves.
  int lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return complain(folder, "opening the lock");
  while (flock(lock, LOCK_EX) != 0) {
    if (errno != EINTR) return complain(folder, "taking the lock");
  }
  if (access("started", F_OK) == 0 || access("exit.json", F_OK) == 0) return 0;

  struct spec spec;
  errno = 0;
  if (read_spec(&spec) != 0) return complain(folder, "reading the spec");
  char who[256];
  if (identity(who, sizeof who, getpid()) != 0) return complain(folder, "reading its own start time from /proc");
  // From here on, and whatever happens, the script is not executed by anybody else.
  int created = create("started", who);
  if (created < 0) return complain(folder, "marking the script as started");
  if (created == 0) return 0;

  int pid, stage;
  char how[128];
  int error = start(&spec, &pid, &stage);
  if (error != 0) {
    snprintf(how, sizeof how, "\"errno\":%d,\"stage\":%d", error, stage);
    return finish(folder, how, NULL);
  }
  // After a power cut nobody is who it says.
  if (identity(who, sizeof who, pid) == 0) replace("script.json", who);
  flock(lock, LOCK_UN);
  // Closes the pipe that the starter waits at.
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDOUT_FILENO);
    close(null);
  }
  wait_for(pid, how, sizeof how);
  return finish(folder, how, &spec);
}

// Before the runtime of Swift is set up, which costs more than all of the above; 101 is the first there is.
__attribute__((constructor(101))) static void become_runner(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[0], DROVER_RUNNER_NAME) == 0) _exit(run(argv[1]));
}
