#pragma once

#include <stddef.h>

// Writes all of it, also in several goes. 0, or -1 with errno set.
int drover_write_all(int fd, const char *bytes, size_t count) __attribute__((visibility("hidden")));
