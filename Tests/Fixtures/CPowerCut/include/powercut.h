#ifndef DROVER_POWERCUT_H
#define DROVER_POWERCUT_H

/// A machine whose disk remembers only what was synced.
///
/// An SQLite VFS, made the default one: files under `live` work as ever, while `disk` receives what a real disk is
/// certain to hold: the writes to a file when that file is synced.
typedef struct powercut_machine powercut_machine;

/// Adds a machine for the files under the folder `live`; `disk` is an empty folder. Null when that fails.
powercut_machine *powercut_add(const char *live, const char *disk);

/// Cuts the power: from now on every write and sync of the machine fails, and `disk` is what it starts from next time.
///
/// With a seed other than 0, each sector that was written but not synced is kept or lost by chance, as disks do.
void powercut_cut(powercut_machine *machine, unsigned seed);

/// How often a file was synced.
long powercut_syncs(powercut_machine *machine);

#endif
