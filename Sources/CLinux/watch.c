#define _GNU_SOURCE
#include "clinux_watch.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

int drover_watch(const char *folder, const char *first, const char *second) {
  int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (watch < 0) return -1;
  if (inotify_add_watch(watch, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
    int error = errno;
    close(watch);
    errno = error;
    return -1;
  }
  inotify_add_watch(watch, first, IN_MODIFY);
  inotify_add_watch(watch, second, IN_MODIFY);
  return watch;
}
