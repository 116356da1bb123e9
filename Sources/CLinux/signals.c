#define _GNU_SOURCE
#include "clinux_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

// Never closed: a handler may be about to write.
static volatile sig_atomic_t writing_end = -1;

static void catch(int number) {
  int before = errno;
  unsigned char byte = (unsigned char)number;
  // A pipe that is full has more of them than anybody counts.
  ssize_t written = write((int)writing_end, &byte, 1);
  (void)written;
  errno = before;
}

int drover_signal_pipe(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  writing_end = ends[1];
  return ends[0];
}

int drover_catch_signal(int number) {
  struct sigaction action = {.sa_handler = catch, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, NULL);
}
