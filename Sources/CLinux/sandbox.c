#define _GNU_SOURCE
#include "clinux_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Between clone and exec only system calls are made: the parent has threads, and their locks are copied as they are.
// The mount calls of Linux 5.12 are made by number, because not every C library that Drover builds with names them.

#define TREE_CLONE 1u              // OPEN_TREE_CLONE
#define TREE_CLOEXEC O_CLOEXEC     // OPEN_TREE_CLOEXEC
#define MOVE_FROM_DESCRIPTOR 4u    // MOVE_MOUNT_F_EMPTY_PATH
#define MOUNT_READ_ONLY 1ull       // MOUNT_ATTR_RDONLY
#define MOUNT_NO_SETUID 2ull       // MOUNT_ATTR_NOSUID
#define MOUNT_NO_DEVICES 4ull      // MOUNT_ATTR_NODEV
#define FIRST_CLOSED_DESCRIPTOR 5  // after the standard ones, control, and the one that reports errors
#define MAXIMUM_MOUNTS 32

struct mount_attributes {
  uint64_t set, clear, propagation, user_namespace;
};

/// What the child tells the parent when a step fails; nothing when it has become the program.
struct failure {
  int error;
  const char *step;
};

static int restrict_mount(int tree, uint64_t attributes) {
  struct mount_attributes change = {.set = attributes};
  return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &change, sizeof change);
}

/// A detached copy of what is mounted at a path, without what is mounted below it.
static int copy_mount(const char *path, uint64_t attributes) {
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, TREE_CLONE | TREE_CLOEXEC);
  if (tree >= 0 && restrict_mount(tree, attributes) != 0) return -1;
  return tree;
}

/// Makes the folders above a path that is relative to the working directory.
static void make_parents(const char *path) {
  char parent[4096];
  for (size_t i = 0; path[i] != '\0' && i + 1 < sizeof parent; i++) {
    if (path[i] == '/') {
      parent[i] = '\0';
      mkdir(parent, 0755);
    }
    parent[i] = path[i];
  }
}

/// Puts a detached mount at a path that is relative to the working directory.
static int place_mount(int tree, const char *path) {
  struct stat status;
  if (fstat(tree, &status) != 0) return -1;
  make_parents(path);
  if (S_ISDIR(status.st_mode)) {
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return -1;
  } else {
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
    if (file < 0) return -1;
    close(file);
  }
  return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_FROM_DESCRIPTOR);
}

static int write_file(const char *path, const char *content, size_t size) {
  make_parents(path);
  int file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0444);
  if (file < 0) return -1;
  while (size > 0) {
    ssize_t written = write(file, content, size);
    if (written < 0) return -1;
    content += written;
    size -= (size_t)written;
  }
  return close(file);
}

/// Replaces the root file system. Returns NULL, or the step that failed with errno set.
static const char *build_root(const struct drover_sandbox *sandbox) {
  int trees[MAXIMUM_MOUNTS];
  const char *paths[MAXIMUM_MOUNTS];
  size_t count = 0;

  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return "making mounts private";
  for (const char *const *path = sandbox->visible; *path != NULL && count < MAXIMUM_MOUNTS; path++, count++) {
    paths[count] = *path;
    trees[count] = copy_mount(*path, MOUNT_READ_ONLY | MOUNT_NO_SETUID | MOUNT_NO_DEVICES);
    if (trees[count] < 0) return "making a read-only view of a folder";
  }
  for (const char *const *path = sandbox->devices; *path != NULL && count < MAXIMUM_MOUNTS; path++, count++) {
    paths[count] = *path;
    trees[count] = copy_mount(*path, MOUNT_READ_ONLY | MOUNT_NO_SETUID);
    if (trees[count] < 0) return "making a view of a device";
  }

  // The new root covers a folder that is sure to exist and is already copied, so nothing is left on the disk.
  if (mount("tmpfs", paths[0], "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=755") != 0) return "mounting a tmpfs";
  if (chdir(paths[0]) != 0) return "entering the new root";
  umask(0);
  for (size_t i = 0; i < count; i++) {
    if (place_mount(trees[i], paths[i] + 1) != 0) return "mounting what is to be visible";
    close(trees[i]);
  }
  for (const char *const *link = sandbox->links; link[0] != NULL; link += 2) {
    make_parents(link[0] + 1);
    if (symlink(link[1], link[0] + 1) != 0) return "making a symbolic link";
  }
  if (write_file(sandbox->file + 1, sandbox->content, sandbox->content_size) != 0) return "writing the program";

  int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || restrict_mount(root, MOUNT_READ_ONLY | MOUNT_NO_SETUID | MOUNT_NO_DEVICES) != 0)
    return "making the root read-only";
  if (syscall(SYS_pivot_root, ".", ".") != 0) return "changing the root";
  if (umount2(".", MNT_DETACH) != 0) return "leaving the old root";
  if (chdir("/") != 0) return "entering the root";
  return NULL;
}

/// Standard input and output from /dev/null, errors, control, the reporting descriptor, and no other.
static int arrange_descriptors(const struct drover_sandbox *sandbox, int *report) {
  int moved[3] = {
      fcntl(sandbox->errors, F_DUPFD_CLOEXEC, 64),
      fcntl(sandbox->control, F_DUPFD_CLOEXEC, 64),
      fcntl(*report, F_DUPFD_CLOEXEC, 64),
  };
  int null = open("/dev/null", O_RDWR);
  if (null < 0 || moved[0] < 0 || moved[1] < 0 || moved[2] < 0) return -1;
  if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(moved[0], 2) < 0 || dup2(moved[1], 3) < 0) return -1;
  if (dup3(moved[2], 4, O_CLOEXEC) < 0) return -1;
  *report = 4;
  return (int)syscall(SYS_close_range, FIRST_CLOSED_DESCRIPTOR, ~0u, 0);
}

static int drop_capabilities(void) {
  const uint32_t kept = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_KILL;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    int keep = capability < 32 && (kept >> capability & 1);
    if (!keep && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return -1;
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{.effective = kept, .permitted = kept}};
  return (int)syscall(SYS_capset, &header, data);
}

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "sandbox.c knows no system call filter for this architecture"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define DENY(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), RETURN(SECCOMP_RET_ERRNO | EPERM)
#define NEW_NAMESPACES \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/// Denies what a template never needs and what the other walls do not stop: sockets (abstract ones reach siblings),
/// System V and POSIX objects (they outlive the process and its memory limit), and calls that have been holes in the
/// kernel. Everything else is limited by user, namespaces, root and resource limits.
static int deny_dangerous_calls(void) {
  struct sock_filter filter[] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0),
      RETURN(SECCOMP_RET_KILL_PROCESS),
      LOAD(nr),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),  // the x32 calls of x86_64
      RETURN(SECCOMP_RET_KILL_PROCESS),
      DENY(socket), DENY(socketpair), DENY(connect), DENY(bind), DENY(listen),
      DENY(shmget), DENY(shmat), DENY(semget), DENY(msgget), DENY(mq_open),
      DENY(ptrace), DENY(process_vm_readv), DENY(process_vm_writev), DENY(kcmp), DENY(pidfd_open),
      DENY(mount), DENY(umount2), DENY(pivot_root), DENY(chroot), DENY(unshare), DENY(setns),
      DENY(open_tree), DENY(move_mount), DENY(fsopen), DENY(fspick), DENY(mount_setattr),
      DENY(open_by_handle_at), DENY(name_to_handle_at), DENY(fanotify_init), DENY(inotify_init1),
      DENY(bpf), DENY(perf_event_open), DENY(userfaultfd), DENY(io_setup),
      DENY(io_uring_setup), DENY(io_uring_enter), DENY(io_uring_register),
      DENY(add_key), DENY(request_key), DENY(keyctl),
      DENY(init_module), DENY(finit_module), DENY(delete_module), DENY(kexec_load), DENY(reboot),
      DENY(swapon), DENY(swapoff), DENY(acct), DENY(quotactl), DENY(personality), DENY(memfd_create),
      DENY(settimeofday), DENY(clock_settime), DENY(clock_adjtime), DENY(adjtimex),
      // Its flags are out of a filter's sight; the C library then uses clone.
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1), RETURN(SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      LOAD(args[0]),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1),
      RETURN(SECCOMP_RET_ERRNO | EPERM),
      RETURN(SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void reset_signals(void) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &standard, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/// Becomes the program, or returns the step that failed with errno set.
static const char *enter(const struct drover_sandbox *sandbox, int *report) {
  const struct rlimit none = {0, 0};
  char *const environment[] = {NULL};

  reset_signals();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return "asking to end with the parent";
  if (setsid() < 0) return "starting a session";
  const char *step = build_root(sandbox);
  if (step != NULL) return step;
  if (sethostname("renderer", 8) != 0) return "setting the host name";
  if (arrange_descriptors(sandbox, report) != 0) return "arranging descriptors";
  if (setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_MEMLOCK, &none) != 0) return "lowering limits";
  if (syscall(SYS_setgroups, 0, NULL) != 0) return "leaving groups";
  if (syscall(SYS_setresgid, 0, 0, 0) != 0 || syscall(SYS_setresuid, 0, 0, 0) != 0) return "becoming root";
  if (drop_capabilities() != 0) return "dropping capabilities";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "giving up new privileges";
  if (deny_dangerous_calls() != 0) return "installing the system call filter (seccomp)";
  execve(sandbox->arguments[0], (char *const *)sandbox->arguments, environment);
  return "starting the program";
}

int drover_sandbox_spawn(const struct drover_sandbox *sandbox, int *pid, const char **step) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    *step = "making a pipe";
    return errno;
  }
  const unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
  long child = syscall(SYS_clone, flags, 0, 0, 0, 0);
  if (child == 0) {
    struct failure failure = {.step = enter(sandbox, &report[1])};
    failure.error = errno;
    ssize_t ignored = write(report[1], &failure, sizeof failure);
    (void)ignored;
    _exit(127);
  }
  int error = errno;
  close(report[1]);
  if (child < 0) {
    close(report[0]);
    *step = "creating namespaces";
    return error;
  }
  struct failure failure;
  ssize_t size;
  do size = read(report[0], &failure, sizeof failure);
  while (size < 0 && errno == EINTR);
  close(report[0]);
  if (size == 0) {
    *pid = (int)child;
    return 0;
  }
  while (waitpid((pid_t)child, NULL, 0) < 0 && errno == EINTR) {
  }
  // The child is a copy of this process, so its constant strings are at the same addresses.
  *step = size == sizeof failure ? failure.step : "starting";
  return size == sizeof failure ? failure.error : EIO;
}

int drover_socket_pair(int keeps_boundaries, int sockets[2]) {
  int type = keeps_boundaries ? SOCK_SEQPACKET : SOCK_STREAM;
  return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sockets) == 0 ? 0 : errno;
}

int drover_send_with_descriptor(int socket, const void *message, size_t size, int descriptor) {
  struct iovec part = {.iov_base = (void *)message, .iov_len = size};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr alignment;
  } ancillary;
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor >= 0) {
    header.msg_control = ancillary.bytes;
    header.msg_controllen = sizeof ancillary.bytes;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  ssize_t sent;
  do sent = sendmsg(socket, &header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}
