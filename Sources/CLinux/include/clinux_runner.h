#ifndef DROVER_CLINUX_RUNNER_H
#define DROVER_CLINUX_RUNNER_H

/// Steps of a runner, beside those of `drover_spawn_stage`, at which a script was found not to be runnable.
enum drover_runner_stage {
  DROVER_RUNNER_STDOUT = 100,  // its standard output cannot be opened
  DROVER_RUNNER_STDERR = 101,  // its standard error cannot be opened
};

/// Runs the script of a run's folder, and returns the status to exit with when it has ended: 1, with a line on standard
/// error, when the run could not be begun or its end not be written down. It knows no threads and uses next to no memory,
/// since there is one for each script that runs. `RunFolder` says what it reads and writes.
int drover_runner(const char *folder);

#endif
