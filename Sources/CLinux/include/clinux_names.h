#ifndef DROVER_CLINUX_NAMES_H
#define DROVER_CLINUX_NAMES_H

/// Makes the C library look users, groups and services up in /etc alone, and hosts in /etc/hosts and DNS, whatever
/// /etc/nsswitch.conf says. A static executable would otherwise load modules (libnss_systemd.so, libnss_resolve.so) that
/// were linked against another copy of the library, and crash. Returns 0, or -1 with errno set.
int drover_names_from_files(void);

#endif
