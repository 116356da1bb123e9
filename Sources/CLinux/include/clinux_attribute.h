#ifndef DROVER_CLINUX_ATTRIBUTE_H
#define DROVER_CLINUX_ATTRIBUTE_H

#include <stddef.h>

// Extended attributes of files. All return -1 with errno set when they fail, as where a file system has none.

int drover_attribute_set(int fd, const char *name, const void *value, size_t count);
int drover_attribute_remove(int fd, const char *name);
/// Returns how long the value is.
long drover_attribute_get(const char *path, const char *name, void *value, size_t count);

#endif
