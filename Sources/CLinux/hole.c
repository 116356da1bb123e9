#define _GNU_SOURCE
#include "clinux_hole.h"

#include <fcntl.h>

int drover_punch_hole(int fd, long offset, long count) {
  return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}
