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

// What is read of a run's `spec` and of what is handed over with it; the strings lie in their bytes.
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

// All of an open file, from its beginning, with a NUL behind it, to be freed; NULL with errno set.
static char *read_open(int fd, size_t *count) {
  lseek(fd, 0, SEEK_SET);
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
  if (bytes) bytes[filled] = 0;
  *count = filled;
  return bytes;
}

static char *read_all(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  size_t count;
  char *bytes = read_open(fd, &count);
  close(fd);
  return bytes;
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

// An open file without a name, or where there are none such, beside the one of that name in the current folder.
static int nameless(const char *name, char *temporary, size_t room) {
  int fd = open(".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
  snprintf(temporary, room, "/proc/self/fd/%d", fd);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
  snprintf(temporary, room, "%s.new.%d", name, getpid());
  unlink(temporary);
  return open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

// Makes a file that is not there, whole or not at all, so that it is there also after a power cut. Its descriptor, at its
// end; -1 with errno set: EEXIST when it was there.
static int create(const char *name, const char *text) {
  char temporary[64];
  int fd = nameless(name, temporary, sizeof temporary);
  if (fd < 0) return -1;
  int failed = drover_write_all(fd, text, strlen(text)) != 0 || fsync(fd) != 0 ||
               linkat(AT_FDCWD, temporary, AT_FDCWD, name, AT_SYMLINK_FOLLOW) != 0;
  int error = errno;
  if (temporary[0] != '/') unlink(temporary);
  if (!failed && sync_folder() != 0) {
    failed = 1;
    error = errno;
  }
  if (failed) close(fd);
  errno = error;
  return failed ? -1 : fd;
}

// Writes a line behind what is there; all of it or, for those who read lines, nothing. 0, or -1 with errno set.
static int add_line(int fd, const char *text) {
  off_t end = lseek(fd, 0, SEEK_END);
  if (end >= 0 && drover_write_all(fd, text, strlen(text)) == 0) return 0;
  int error = errno;
  if (end >= 0 && ftruncate(fd, end) != 0) error = errno;
  errno = error;
  return -1;
}

// MARK: Who is who

// The clock ticks after boot at which a process was started, the 22nd field of its stat; -1 when there is none.
static int64_t start_of(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  char *text = read_all(path);
  if (!text) return -1;
  int64_t start = -1;
  char *field = strrchr(text, ')');  // the name before it may hold blanks
  for (int number = 2; field && number < 22; number++) field = strchr(field + 1, ' ');
  if (field) start = strtoll(field + 1, NULL, 10);
  free(text);
  return start;
}

// A line that says who a process is, as `ProcessIdentity` has it.
static int identity(char *text, size_t room, const char *name, int pid) {
  int64_t start = start_of(pid);
  if (start < 0) return -1;
  char *boot = read_all("/proc/sys/kernel/random/boot_id");
  if (boot) boot[strcspn(boot, " \t\r\n")] = 0;
  snprintf(
    text, room, "{\"%s\":{\"pid\":%d,\"start\":\"%" PRId64 "\",\"boot\":\"%.80s\"}}\n", name, pid, start,
    boot ? boot : "");
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
  else return value_of(string, "program") || value_of(string, "output_limit") ? 0 : -1;  // for others who read it
  return 0;
}

// What `ScriptSpec` writes: the strings of an open file; NULL when it is something else.
static char *strings_of(int fd, size_t *count) {
  char *bytes = read_open(fd, count);
  if (bytes && (*count == 0 || bytes[*count - 1] == 0)) return bytes;
  free(bytes);
  return NULL;
}

// From the file, and the arguments and variables from standard input, since there may be secrets in them. 0 or -1.
static int read_spec(struct spec *spec, int file) {
  int files[2] = {file, STDIN_FILENO};
  char *bytes[2];
  size_t counts[2], strings = 0, argument = 0, variable = 0;
  for (int i = 0; i < 2; i++) {
    bytes[i] = strings_of(files[i], &counts[i]);
    if (!bytes[i]) return -1;
    for (size_t at = 0; at < counts[i]; at++) strings += bytes[i][at] == 0;
  }
  errno = 0;
  if (counts[0] == 0) return -1;
  memset(spec, 0, sizeof *spec);
  spec->options.stdin_fd = -1;
  spec->options.umask_bits = -1;
  spec->options.uid = -1;
  spec->options.gid = -1;
  spec->options.new_session = 1;
  spec->arguments = calloc(strings + 1, sizeof *spec->arguments);
  spec->variables = calloc(strings + 1, sizeof *spec->variables);
  if (!spec->arguments || !spec->variables) return -1;
  for (int i = 0; i < 2; i++) {
    for (char *string = bytes[i]; string < bytes[i] + counts[i]; string += strlen(string) + 1) {
      if (take(spec, string, &argument, &variable) != 0) return -1;
    }
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
static int finish(int journal, const char *how, const struct spec *spec) {
  char text[512];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(text, sizeof text, "{\"exit\":{\"ended\":%" PRId64, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
  for (int i = 0; spec && i < 2; i++) {
    struct stat file;
    if (spec->outputs[i] || stat(own_files[i], &file) != 0) continue;
    add(text, sizeof text, ",\"%s_size\":%" PRId64, own_files[i], (int64_t)file.st_size);
  }
  add(text, sizeof text, ",%s}}\n", how);
  while (add_line(journal, text) != 0) {
    // A folder that was removed takes no more.
    struct stat here;
    if (fstat(journal, &here) != 0 || here.st_nlink == 0) return 1;
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
  int file = open("spec", O_RDONLY | O_CLOEXEC);
  if (file < 0) return complain(folder, "opening the spec");
  // Held until the script runs: a second runner waits for the decision of the first one, and then leaves.
  while (flock(file, LOCK_EX) != 0) {
    if (errno != EINTR) return complain(folder, "locking the spec");
  }
  if (access("journal", F_OK) == 0) return 0;

  struct spec spec;
  errno = 0;
  if (read_spec(&spec, file) != 0) return complain(folder, "reading the spec");
  char who[256];
  if (identity(who, sizeof who, "runner", getpid()) != 0) {
    return complain(folder, "reading its own start time from /proc");
  }
  // From here on, and whatever happens, the script is not executed by anybody else.
  int journal = create("journal", who);
  if (journal < 0) return errno == EEXIST ? 0 : complain(folder, "marking the script as started");

  int pid, stage;
  char how[128];
  int error = start(&spec, &pid, &stage);
  if (error != 0) {
    snprintf(how, sizeof how, "\"errno\":%d,\"stage\":%d", error, stage);
    return finish(journal, how, NULL);
  }
  // After a power cut nobody is who it says.
  if (identity(who, sizeof who, "script", pid) == 0) add_line(journal, who);
  flock(file, LOCK_UN);
  close(file);
  // Closes the pipe that the starter waits at, and what was handed over.
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) dup2(null, stream);
    close(null);
  }
  wait_for(pid, how, sizeof how);
  return finish(journal, how, &spec);
}

// Before the runtime of Swift is set up, which costs more than all of the above; 101 is the first there is.
__attribute__((constructor(101))) static void become_runner(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[0], DROVER_RUNNER_NAME) == 0) _exit(run(argv[1]));
}
