#ifndef DROVER_CLINUX_NAMESPACE_H
#define DROVER_CLINUX_NAMESPACE_H

#include <stddef.h>

// Mounts inside another process's mount namespace, made on a thread of its own so that the calling process stays where
// it is. Nothing is mounted outside that namespace. All return 0, or -1 with errno set.

/// Shows a directory of this namespace, with all mounted below it, at a path in the namespace of `pid`; the path is
/// made as a directory where it is missing.
int drover_namespace_attach(int pid, const char *source, const char *target);

/// Moves a mount that has no place yet (`drover_image_mount`) to a path in the namespace of `pid`, made as a directory
/// where it is missing. The descriptor stays open.
int drover_namespace_move(int pid, int mount, const char *target);

/// Takes away what is mounted at a path in the namespace of `pid`, with all mounted below it, and removes the empty
/// directory. It is no error when nothing is mounted there.
int drover_namespace_detach(int pid, const char *target);

/// Makes a path writable that lies in a read-only mount, in the namespace of `pid` only: a mount of its own over itself.
int drover_namespace_make_writable(int pid, const char *path);

/// Replaces a file in the namespace of `pid`, whole or not at all. Links of that namespace lead nowhere else.
int drover_namespace_write(int pid, const char *path, const void *bytes, size_t count, unsigned mode);

#endif
