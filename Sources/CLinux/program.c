#define _GNU_SOURCE
#include "clinux_program.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int release(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  (void)context;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0) continue;
    uintptr_t first = (info->dlpi_addr + part->p_vaddr + page - 1) & ~(page - 1);
    uintptr_t end = (info->dlpi_addr + part->p_vaddr + part->p_filesz) & ~(page - 1);
    if (first >= end) continue;
    /* Otherwise one byte that is needed again can bring 2 MB back. */
    madvise((void *)first, end - first, MADV_NOHUGEPAGE);
    madvise((void *)first, end - first, MADV_DONTNEED);
  }
  /* The program itself comes first; libraries are shared with others. */
  return 1;
}

void drover_release_program(void) { dl_iterate_phdr(release, NULL); }

#ifndef DROVER_VERSION
#define DROVER_VERSION ""
#endif

const char *drover_stamped_version(void) { return DROVER_VERSION; }
