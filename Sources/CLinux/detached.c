#define _GNU_SOURCE
#include "clinux_detached.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

int drover_spawn_detached(const char *program, char *const argv[], char *const envp[], const char *log, int *pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  pid_t child = 0;
  sigemptyset(&none);
  sigfillset(&all);
  int status = posix_spawn_file_actions_init(&files);
  if (status != 0) return status;
  status = posix_spawnattr_init(&attributes);
  if (status != 0) {
    posix_spawn_file_actions_destroy(&files);
    return status;
  }
  if ((status = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
      (status = posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600)) == 0 &&
      (status = posix_spawn_file_actions_adddup2(&files, 1, 2)) == 0 &&
      (status = posix_spawn_file_actions_addclosefrom_np(&files, 3)) == 0 &&
      (status = posix_spawnattr_setsigmask(&attributes, &none)) == 0 &&
      (status = posix_spawnattr_setsigdefault(&attributes, &all)) == 0 &&
      (status = posix_spawnattr_setflags(
           &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0)
    status = posix_spawnp(&child, program, &files, &attributes, argv, envp);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  *pid = child;
  return status;
}
