#include "clinux_names.h"

#include <nss.h>
#include <stddef.h>

int drover_names_from_files(void) {
  static const char *const databases[] = {
      "passwd", "group", "shadow", "gshadow", "initgroups", "services", "protocols", "networks", NULL,
  };
  for (const char *const *database = databases; *database != NULL; database++) {
    if (__nss_configure_lookup(*database, "files") != 0) return -1;
  }
  return __nss_configure_lookup("hosts", "files dns");
}
