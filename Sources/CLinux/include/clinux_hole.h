#ifndef DROVER_CLINUX_HOLE_H
#define DROVER_CLINUX_HOLE_H

/// Makes a hole in a file, whose length stays. Returns 0, or -1 with errno set, as where a file system has no holes.
int drover_punch_hole(int fd, long offset, long count);

#endif
