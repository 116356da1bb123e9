import Formats

/// Which system calls a process in a container may make (reference/bpm.md 5.3).
enum SeccompProfile {
  /// As it stands in config.json: what is not named fails with EPERM.
  static let value: Value = [
    "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "syscalls": .array([allow(allowed)] + special),
  ]

  private static func allow(_ names: [String]) -> Value { ["names": Value(names), "action": "SCMP_ACT_ALLOW"] }

  private static func personality(_ value: Int) -> Value {
    [
      "names": ["personality"], "action": "SCMP_ACT_ALLOW",
      "args": [["index": 0, "value": .int(value), "op": "SCMP_CMP_EQ"]],
    ]
  }

  private static let special: [Value] = [
    // Processes may be made, namespaces (but of cgroups) not.
    [
      "names": ["clone"], "action": "SCMP_ACT_ALLOW",
      "args": [["index": 0, "value": 2_080_505_856, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"]],
    ],
    // ENOSYS: the C library then uses clone, whose flags a filter can see.
    ["names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38],
    personality(0), personality(4_294_967_295), personality(8),
  ]

  static let allowed: [String] = names.split(whereSeparator: \.isWhitespace).map(String.init)

  private static let names = """
    _llseek _newselect accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown chown32
    chroot clock_getres clock_gettime clock_nanosleep close connect copy_file_range creat dup dup2 dup3 epoll_create
    epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_wait epoll_wait_old eventfd eventfd2 execve execveat
    exit exit_group faccessat fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32
    fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64
    fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futimesat get_robust_list get_thread_area getcpu getcwd
    getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer
    getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
    getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch
    inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl
    ioprio_get ioprio_set ipc kill lchown lchown32 lgetxattr link linkat listen listxattr llistxattr lremovexattr
    lseek lsetxattr lstat lstat64 madvise memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall
    mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap
    msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause pipe
    pipe2 poll ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev pwritev2 read readahead
    readlink readlinkat readv recv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2
    restart_syscall rmdir rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
    sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop send sendfile sendfile64 sendmmsg
    sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid
    setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
    setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget
    shutdown sigaltstack signalfd signalfd4 sigreturn socket socketcall socketpair splice stat statx stat64 statfs
    statfs64 symlink symlinkat sync sync_file_range syncfs sysinfo syslog tee tgkill time timer_create timer_delete
    timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate
    truncate64 ugetrlimit umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid waitpid
    write writev
    """
}
