#ifndef DROVER_CLINUX_PROCESS_H
#define DROVER_CLINUX_PROCESS_H

/// Opens a pidfd for a process, close-on-exec. Returns the descriptor, or -1 with errno set.
int drover_pidfd_open(int pid);

#endif
