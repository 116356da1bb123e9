#define _GNU_SOURCE
#include "clinux_namespace.h"
#include "writing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Older headers lack these; the numbers are the kernel's and the same on every architecture (Linux 5.2).
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#define DROVER_OPEN_TREE_CLONE 1
#define DROVER_AT_RECURSIVE 0x8000
#define DROVER_MOVE_MOUNT_F_EMPTY_PATH 0x4

enum action { ATTACH, MOVE, DETACH, MAKE_WRITABLE, WRITE };

struct request {
  enum action action;
  int namespace_fd;
  int ipc_fd;
  int mount_fd;
  const char *source;
  const char *target;
  const void *bytes;
  size_t count;
  unsigned mode;
  int error;
};

// setns(CLONE_NEWNS) needs a thread that shares its root and working directory with nobody.
static int enter(int namespace_fd) {
  if (unshare(CLONE_FS) != 0) return -1;
  return setns(namespace_fd, CLONE_NEWNS);
}

static int make_directories(const char *path) {
  char prefix[4096];
  int length = snprintf(prefix, sizeof prefix, "%s", path);
  if (length < 0 || length >= (int)sizeof prefix) {
    errno = ENAMETOOLONG;
    return -1;
  }
  for (int i = 1; i <= length; i++) {
    if (prefix[i] != '/' && prefix[i] != 0) continue;
    char kept = prefix[i];
    prefix[i] = 0;
    if (mkdir(prefix, 0755) != 0 && errno != EEXIST) return -1;
    prefix[i] = kept;
  }
  return 0;
}

static int move(const struct request *request) {
  if (enter(request->namespace_fd) != 0 || make_directories(request->target) != 0) return -1;
  return (int)syscall(SYS_move_mount, request->mount_fd, "", AT_FDCWD, request->target, DROVER_MOVE_MOUNT_F_EMPTY_PATH);
}

static int attach(struct request *request) {
  request->mount_fd = (int)syscall(SYS_open_tree, AT_FDCWD, request->source,
                                   DROVER_OPEN_TREE_CLONE | O_CLOEXEC | DROVER_AT_RECURSIVE);
  if (request->mount_fd < 0) return -1;
  int result = move(request);
  int error = errno;
  close(request->mount_fd);
  errno = error;
  return result;
}

static int detach(const struct request *request) {
  if (enter(request->namespace_fd) != 0) return -1;
  while (umount2(request->target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  if (errno != EINVAL && errno != ENOENT) return -1;
  if (rmdir(request->target) != 0 && errno != ENOENT && errno != ENOTEMPTY) return -1;
  return 0;
}

// Which sysctl a name under kernel/ or fs/mqueue stands for is decided by the IPC namespace of whoever looks it up: from
// the host's it would be the host's own.
static int make_writable(const struct request *request) {
  if (setns(request->ipc_fd, CLONE_NEWIPC) != 0) return -1;
  if (enter(request->namespace_fd) != 0) return -1;
  if (mount(request->target, request->target, NULL, MS_BIND, NULL) != 0) return -1;
  return mount(NULL, request->target, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int replace(const struct request *request) {
  char temporary[4096];
  int length = snprintf(temporary, sizeof temporary, "%s.new", request->target);
  if (length < 0 || length >= (int)sizeof temporary) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (enter(request->namespace_fd) != 0) return -1;
  unlink(temporary);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  int result = drover_write_all(fd, request->bytes, request->count);
  if (result == 0) result = fchmod(fd, request->mode);
  if (result == 0) result = fsync(fd);
  if (result == 0) result = rename(temporary, request->target);
  int error = errno;
  close(fd);
  if (result != 0) unlink(temporary);
  errno = error;
  return result;
}

static void *serve(void *argument) {
  struct request *request = argument;
  int result = -1;
  switch (request->action) {
    case ATTACH: result = attach(request); break;
    case MOVE: result = move(request); break;
    case DETACH: result = detach(request); break;
    case MAKE_WRITABLE: result = make_writable(request); break;
    case WRITE: result = replace(request); break;
  }
  request->error = result == 0 ? 0 : errno;
  return NULL;
}

static int open_namespace(int pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name);
  return open(path, O_RDONLY | O_CLOEXEC);
}

static int perform(int pid, struct request request) {
  request.namespace_fd = open_namespace(pid, "mnt");
  if (request.namespace_fd < 0) return -1;
  request.ipc_fd = open_namespace(pid, "ipc");
  if (request.ipc_fd < 0) {
    int error = errno;
    close(request.namespace_fd);
    errno = error;
    return -1;
  }
  pthread_t thread;
  int error = pthread_create(&thread, NULL, serve, &request);
  if (error == 0) {
    pthread_join(thread, NULL);
    error = request.error;
  }
  close(request.namespace_fd);
  close(request.ipc_fd);
  errno = error;
  return error == 0 ? 0 : -1;
}

int drover_namespace_attach(int pid, const char *source, const char *target) {
  return perform(pid, (struct request){.action = ATTACH, .source = source, .target = target});
}

int drover_namespace_move(int pid, int mount, const char *target) {
  return perform(pid, (struct request){.action = MOVE, .mount_fd = mount, .target = target});
}

int drover_namespace_detach(int pid, const char *target) {
  return perform(pid, (struct request){.action = DETACH, .target = target});
}

int drover_namespace_make_writable(int pid, const char *path) {
  return perform(pid, (struct request){.action = MAKE_WRITABLE, .target = path});
}

int drover_namespace_write(int pid, const char *path, const void *bytes, size_t count, unsigned mode) {
  return perform(
      pid, (struct request){.action = WRITE, .target = path, .bytes = bytes, .count = count, .mode = mode});
}
