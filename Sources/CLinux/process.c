#define _GNU_SOURCE
#include "clinux_process.h"

#include <sys/syscall.h>
#include <unistd.h>

int drover_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
