#include "clinux_attribute.h"

#include <sys/xattr.h>

int drover_attribute_set(int fd, const char *name, const void *value, size_t count) {
  return fsetxattr(fd, name, value, count, 0);
}

int drover_attribute_remove(int fd, const char *name) { return fremovexattr(fd, name); }

long drover_attribute_get(const char *path, const char *name, void *value, size_t count) {
  return getxattr(path, name, value, count);
}
