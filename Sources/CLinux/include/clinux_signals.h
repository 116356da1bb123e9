#ifndef CLINUX_SIGNALS_H
#define CLINUX_SIGNALS_H

/// Makes the pipe into which signals that are caught are written, a byte each, their number.
///
/// Returns the end to read from, which does not block; -1 with errno. Called once.
int drover_signal_pipe(void);

/// From now on the signal is written into the pipe. Returns -1 with errno.
int drover_catch_signal(int number);

#endif
