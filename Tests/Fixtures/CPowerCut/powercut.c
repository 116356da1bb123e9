#include "powercut.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { sector = 512 };

// What was done to a file since it was last synced, oldest first.
typedef struct change {
  struct change *next;
  sqlite3_int64 offset;  // of a write, or the size to cut to
  int count;             // bytes of a write; -1 for a cut
  unsigned char bytes[];
} change;

// A file of a machine, whatever the number of connections that have it open.
typedef struct node {
  struct node *next;
  char *live;
  char *disk;
  change *first;
  change **end;
} node;

struct powercut_machine {
  struct powercut_machine *next;
  char *live;
  char *disk;
  node *nodes;
  int cut;
  long syncs;
};

typedef struct {
  sqlite3_file base;
  powercut_machine *machine;
  node *node;
  sqlite3_file *real;
} file;

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static powercut_machine *machines;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;

static void install_vfs(void);

static powercut_machine *machine_of(const char *path) {
  if (path == NULL) return NULL;
  for (powercut_machine *machine = machines; machine; machine = machine->next) {
    size_t length = strlen(machine->live);
    if (strncmp(path, machine->live, length) == 0 && path[length] == '/') return machine;
  }
  return NULL;
}

static node *node_of(powercut_machine *machine, const char *path) {
  for (node *found = machine->nodes; found; found = found->next) {
    if (strcmp(found->live, path) == 0) return found;
  }
  node *made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  size_t length = strlen(machine->disk) + strlen(path) - strlen(machine->live) + 1;
  made->live = strdup(path);
  made->disk = malloc(length);
  made->end = &made->first;
  if (made->live == NULL || made->disk == NULL) return NULL;
  snprintf(made->disk, length, "%s%s", machine->disk, path + strlen(machine->live));
  made->next = machine->nodes;
  machine->nodes = made;
  return made;
}

static int remember(node *node, sqlite3_int64 offset, int count, const void *bytes) {
  change *made = malloc(sizeof *made + (count > 0 ? (size_t)count : 0));
  if (made == NULL) return SQLITE_NOMEM;
  made->next = NULL;
  made->offset = offset;
  made->count = count;
  if (count > 0) memcpy(made->bytes, bytes, (size_t)count);
  *node->end = made;
  node->end = &made->next;
  return SQLITE_OK;
}

// Whether the disk kept something that nobody synced.
static int kept(unsigned *seed) { return *seed == 0 || rand_r(seed) % 2; }

// Brings what was done to a file to the disk: all of it, or with a seed a part of it.
static int settle(node *node, unsigned *seed) {
  int descriptor = open(node->disk, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  int outcome = descriptor < 0 ? SQLITE_IOERR : SQLITE_OK;
  while (node->first) {
    change *done = node->first;
    if (descriptor >= 0 && done->count < 0) {
      if (kept(seed) && ftruncate(descriptor, done->offset) != 0) outcome = SQLITE_IOERR;
    }
    for (int start = 0; descriptor >= 0 && start < done->count;) {
      int count = sector - (int)((done->offset + start) % sector);
      if (count > done->count - start) count = done->count - start;
      if (kept(seed) && pwrite(descriptor, done->bytes + start, (size_t)count, done->offset + start) != count) {
        outcome = SQLITE_IOERR;
      }
      start += count;
    }
    node->first = done->next;
    free(done);
  }
  node->end = &node->first;
  if (descriptor >= 0) close(descriptor);
  return outcome;
}

powercut_machine *powercut_add(const char *live, const char *disk) {
  pthread_mutex_lock(&guard);
  powercut_machine *machine = calloc(1, sizeof *machine);
  if (machine) {
    machine->live = strdup(live);
    machine->disk = strdup(disk);
    machine->next = machines;
    machines = machine;
  }
  int first = real_vfs == NULL;
  pthread_mutex_unlock(&guard);
  if (first) {
    install_vfs();
  }
  return machine;
}

void powercut_cut(powercut_machine *machine, unsigned seed) {
  pthread_mutex_lock(&guard);
  machine->cut = 1;
  if (seed != 0) {
    for (node *node = machine->nodes; node; node = node->next) settle(node, &seed);
  }
  pthread_mutex_unlock(&guard);
}

long powercut_syncs(powercut_machine *machine) {
  pthread_mutex_lock(&guard);
  long syncs = machine->syncs;
  pthread_mutex_unlock(&guard);
  return syncs;
}

static sqlite3_file *real(sqlite3_file *self) { return ((file *)self)->real; }

static int file_close(sqlite3_file *self) { return real(self)->pMethods->xClose(real(self)); }

static int file_read(sqlite3_file *self, void *bytes, int count, sqlite3_int64 offset) {
  return real(self)->pMethods->xRead(real(self), bytes, count, offset);
}

static int file_write(sqlite3_file *self, const void *bytes, int count, sqlite3_int64 offset) {
  file *opened = (void *)self;
  if (opened->machine == NULL) return real(self)->pMethods->xWrite(real(self), bytes, count, offset);
  pthread_mutex_lock(&guard);
  int outcome = opened->machine->cut ? SQLITE_IOERR_WRITE : remember(opened->node, offset, count, bytes);
  if (outcome == SQLITE_OK) outcome = real(self)->pMethods->xWrite(real(self), bytes, count, offset);
  pthread_mutex_unlock(&guard);
  return outcome;
}

static int file_truncate(sqlite3_file *self, sqlite3_int64 size) {
  file *opened = (void *)self;
  if (opened->machine == NULL) return real(self)->pMethods->xTruncate(real(self), size);
  pthread_mutex_lock(&guard);
  int outcome = opened->machine->cut ? SQLITE_IOERR_TRUNCATE : remember(opened->node, size, -1, NULL);
  if (outcome == SQLITE_OK) outcome = real(self)->pMethods->xTruncate(real(self), size);
  pthread_mutex_unlock(&guard);
  return outcome;
}

static int file_sync(sqlite3_file *self, int flags) {
  file *opened = (void *)self;
  if (opened->machine == NULL) return real(self)->pMethods->xSync(real(self), flags);
  pthread_mutex_lock(&guard);
  unsigned everything = 0;
  opened->machine->syncs += 1;
  int outcome = opened->machine->cut ? SQLITE_IOERR_FSYNC : settle(opened->node, &everything);
  pthread_mutex_unlock(&guard);
  return outcome;
}

static int file_size(sqlite3_file *self, sqlite3_int64 *size) {
  return real(self)->pMethods->xFileSize(real(self), size);
}
static int file_lock(sqlite3_file *self, int level) { return real(self)->pMethods->xLock(real(self), level); }
static int file_unlock(sqlite3_file *self, int level) { return real(self)->pMethods->xUnlock(real(self), level); }
static int file_reserved(sqlite3_file *self, int *result) {
  return real(self)->pMethods->xCheckReservedLock(real(self), result);
}
static int file_control(sqlite3_file *self, int what, void *argument) {
  return real(self)->pMethods->xFileControl(real(self), what, argument);
}
static int file_sector(sqlite3_file *self) { return real(self)->pMethods->xSectorSize(real(self)); }
static int file_device(sqlite3_file *self) { return real(self)->pMethods->xDeviceCharacteristics(real(self)); }
static int file_shm_map(sqlite3_file *self, int page, int size, int extend, void volatile **memory) {
  return real(self)->pMethods->xShmMap(real(self), page, size, extend, memory);
}
static int file_shm_lock(sqlite3_file *self, int offset, int count, int flags) {
  return real(self)->pMethods->xShmLock(real(self), offset, count, flags);
}
static void file_shm_barrier(sqlite3_file *self) { real(self)->pMethods->xShmBarrier(real(self)); }
static int file_shm_unmap(sqlite3_file *self, int remove) {
  return real(self)->pMethods->xShmUnmap(real(self), remove);
}

// Version 2: shared memory for WAL, but no memory-mapped pages, which would be written past this layer.
static const sqlite3_io_methods methods = {
    2,           file_close,   file_read,     file_write,  file_truncate, file_sync,        file_size,     file_lock,
    file_unlock, file_reserved, file_control, file_sector, file_device,   file_shm_map, file_shm_lock, file_shm_barrier,
    file_shm_unmap, NULL, NULL};

static int vfs_open(sqlite3_vfs *self, const char *path, sqlite3_file *place, int flags, int *result) {
  (void)self;
  file *opened = (void *)place;
  opened->real = (sqlite3_file *)(opened + 1);
  opened->base.pMethods = NULL;
  pthread_mutex_lock(&guard);
  opened->machine = machine_of(path);
  opened->node = opened->machine ? node_of(opened->machine, path) : NULL;
  pthread_mutex_unlock(&guard);
  if (opened->machine && opened->node == NULL) return SQLITE_NOMEM;
  int outcome = real_vfs->xOpen(real_vfs, path, opened->real, flags, result);
  if (opened->real->pMethods) opened->base.pMethods = &methods;
  return outcome;
}

static int vfs_delete(sqlite3_vfs *self, const char *path, int sync) {
  (void)self;
  pthread_mutex_lock(&guard);
  int outcome = SQLITE_OK;
  powercut_machine *machine = machine_of(path);
  if (machine) {
    node *node = node_of(machine, path);
    unsigned everything = 0;
    outcome = machine->cut ? SQLITE_IOERR_DELETE : node ? remember(node, 0, -1, NULL) : SQLITE_NOMEM;
    // Without a sync of its folder, an old file may be there again after the cut.
    if (outcome == SQLITE_OK && sync) outcome = settle(node, &everything);
  }
  if (outcome == SQLITE_OK) outcome = real_vfs->xDelete(real_vfs, path, sync);
  pthread_mutex_unlock(&guard);
  return outcome;
}

static void install_vfs(void) {
  sqlite3_vfs *found = sqlite3_vfs_find(NULL);
  pthread_mutex_lock(&guard);
  if (real_vfs == NULL) {
    vfs = *found;
    vfs.pNext = NULL;
    vfs.zName = "powercut";
    vfs.szOsFile = (int)sizeof(file) + found->szOsFile;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    real_vfs = found;
  }
  pthread_mutex_unlock(&guard);
  sqlite3_vfs_register(&vfs, 1);
}
