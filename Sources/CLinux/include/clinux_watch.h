#ifndef DROVER_CLINUX_WATCH_H
#define DROVER_CLINUX_WATCH_H

/// A descriptor that can be read once something was written to, made in or moved into `folder`, or written to one of the
/// two files, which may be missing. Close-on-exec; -1 with errno set.
int drover_watch(const char *folder, const char *first, const char *second);

#endif
