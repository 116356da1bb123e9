#define _GNU_SOURCE
#include "clinux_image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// Older headers lack these; the numbers are the kernel's and the same on every architecture (Linux 5.2).
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432
#endif
#define DROVER_FSOPEN_CLOEXEC 1
#define DROVER_FSCONFIG_SET_STRING 1
#define DROVER_FSCONFIG_CMD_CREATE 6
#define DROVER_FSMOUNT_CLOEXEC 1
#define DROVER_MOUNT_ATTR_NODEV 4

static void close_quietly(int fd) {
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
}

static int open_device(int number, char *name, size_t size) {
  snprintf(name, size, "/dev/loop%d", number);
  int fd = open(name, O_RDWR | O_CLOEXEC);
  if (fd >= 0 || errno != ENOENT) return fd;
  // The kernel has made the device; nobody may have made its node here.
  if (mknod(name, S_IFBLK | 0600, makedev(LOOP_MAJOR, number)) != 0 && errno != EEXIST) return -1;
  return open(name, O_RDWR | O_CLOEXEC);
}

// A loop device that holds the file and goes when nobody has it open or mounted.
static int attach_loop(int file, const char *image, char *name, size_t size) {
  int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return -1;
  for (int attempt = 0; attempt < 64; attempt++) {
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) break;
    int device = open_device(number, name, size);
    if (device < 0) break;
    struct loop_config config;
    memset(&config, 0, sizeof config);
    config.fd = (unsigned)file;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    strncpy((char *)config.info.lo_file_name, image, LO_NAME_SIZE - 1);
    if (ioctl(device, LOOP_CONFIGURE, &config) == 0) {
      close(control);
      return device;
    }
    close_quietly(device);
    // Somebody else was quicker.
    if (errno != EBUSY) break;
  }
  close_quietly(control);
  return -1;
}

static int mount_device(const char *device) {
  int context = (int)syscall(SYS_fsopen, "ext4", DROVER_FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int mount = -1;
  if (syscall(SYS_fsconfig, context, DROVER_FSCONFIG_SET_STRING, "source", device, 0) == 0 &&
      syscall(SYS_fsconfig, context, DROVER_FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
    mount = (int)syscall(SYS_fsmount, context, DROVER_FSMOUNT_CLOEXEC, DROVER_MOUNT_ATTR_NODEV);
  }
  close_quietly(context);
  return mount;
}

int drover_image_mount(const char *image) {
  int file = open(image, O_RDWR | O_CLOEXEC);
  if (file < 0) return -1;
  char name[32];
  int device = attach_loop(file, image, name, sizeof name);
  int mount = device < 0 ? -1 : mount_device(name);
  close_quietly(device);
  close_quietly(file);
  return mount;
}

static int holds(int number, const struct stat *image) {
  char name[32];
  snprintf(name, sizeof name, "/dev/loop%d", number);
  int device = open(name, O_RDONLY | O_CLOEXEC);
  if (device < 0) return 0;
  struct loop_info64 info;
  int result = ioctl(device, LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == image->st_ino &&
               info.lo_device == image->st_dev;
  close(device);
  return result;
}

int drover_image_in_use(const char *image) {
  struct stat information;
  if (stat(image, &information) != 0) return -1;
  DIR *devices = opendir("/sys/block");
  if (devices == NULL) return -1;
  int found = 0;
  struct dirent *entry;
  while (!found && (entry = readdir(devices)) != NULL) {
    int number;
    char path[64];
    if (sscanf(entry->d_name, "loop%d", &number) != 1) continue;
    snprintf(path, sizeof path, "/sys/block/loop%d/loop", number);
    if (access(path, F_OK) == 0) found = holds(number, &information);
  }
  closedir(devices);
  return found;
}
