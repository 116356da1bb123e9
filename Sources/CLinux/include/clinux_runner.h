#ifndef DROVER_CLINUX_RUNNER_H
#define DROVER_CLINUX_RUNNER_H

/// Steps of a runner, beside those of `drover_spawn_stage`, at which a script was found not to be runnable.
enum drover_runner_stage {
  DROVER_RUNNER_STDOUT = 100,  // its standard output cannot be opened
  DROVER_RUNNER_STDERR = 101,  // its standard error cannot be opened
};

/// A program that this is linked into and that is executed under this name, with the folder of a run as its argument, is
/// the runner of that run's script, and nothing else: it exits when the script has ended, with 1 and a line on standard
/// error when the run could not be begun or its end not be written down. It knows no threads and uses next to no memory,
/// since there is one for each script that runs. `RunFolder` says what it reads and writes.
#define DROVER_RUNNER_NAME "drover-runner"

#endif
