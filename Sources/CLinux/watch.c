#define _GNU_SOURCE
#include "clinux_watch.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

// A file that is not there yet is no mistake.
static int add(int watch, const char *path) {
  return inotify_add_watch(watch, path, IN_MODIFY) >= 0 || errno == ENOENT;
}

int drover_watch(const char *folder, const char *first, const char *second) {
  int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watch < 0) return -1;
  if (inotify_add_watch(watch, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0 || !add(watch, first) ||
      !add(watch, second)) {
    int error = errno;
    close(watch);
    errno = error;
    return -1;
  }
  return watch;
}
