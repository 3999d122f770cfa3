import type { SeccompProfile, SeccompProfileRule } from "./seccomp.ts";

/**
 * Docker's default profile, as of 2025: what is not named fails with EPERM. Not named on purpose: io_uring (its operations pass no
 * filter), userfaultfd and keyctl (kernel exploits; keys have no namespace), kexec, swapon, and all that one needs a capability for,
 * unless the container has it.
 */

/** Allowed whatever the machine, the capabilities and the arguments. */
const always: readonly string[] = [
  // files and directories
  ...words(`
    access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fadvise64_64
    fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync flock fstat fstat64 fstatat64 fstatfs
    fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl lchown lchown32 link linkat _llseek lseek lstat lstat64
    mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2
    read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64 statfs statfs64 statx
    symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes
    vmsplice write writev`),
  // extended attributes, notification, mounts as one may see them
  ...words(`
    fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr lsetxattr
    removexattr removexattrat setxattr setxattrat fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch listmount
    statmount`),
  // memory
  ...words(`
    brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal
    msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages`),
  // processes, threads, scheduling
  ...words(`
    capget capset execve execveat exit exit_group fork futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getcpu getegid
    getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32
    getresuid getresuid32 getrlimit get_robust_list getrusage getsid get_thread_area gettid getuid getuid32 ioprio_get ioprio_set
    landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq
    sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
    sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp setfsgid setfsgid32
    setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
    setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid set_thread_area set_tid_address setuid setuid32 ugetrlimit uretprobe
    vfork wait4 waitid waitpid`),
  // signals
  ...words(`
    kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn tgkill tkill`),
  // time
  ...words(`
    adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
    clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64 timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 times`),
  // waiting for many things, asynchronous input and output but io_uring
  ...words(`
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 io_cancel
    io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect poll ppoll ppoll_time64 pselect6
    pselect6_time64 select`),
  // sockets, though not socket() itself
  ...words(`
    accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg
    sendmsg sendto setsockopt shutdown socketcall socketpair`),
  // System V and POSIX inter-process communication
  ...words(`
    ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget
    msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`),
  // the machine
  ...words(`
    getrandom riscv_hwprobe sysinfo uname`),
];

/**
 * Address families, socket(2): all but AF_VSOCK (40), which talks to the hypervisor past every network namespace, and AF_ALG (38),
 * which offers the kernel's cryptography and, with it, its bugs. Above 38 they are listed: "greater than 40" would let 2³² + 40 pass,
 * which the kernel cuts to 40.
 */
const families = [39, 41, 42, 43, 44, 45];

/** personality(2): PER_LINUX, PER_LINUX32, each with and without UNAME26, and the question which it is. Not ADDR_NO_RANDOMIZE. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}: a clone(2) with any of these flags makes a namespace. */
const newNamespaces = 0x7e020000;

const allow = (names: string, conditions: Pick<SeccompProfileRule, "includes" | "excludes" | "args"> = {}): SeccompProfileRule => ({
  names: words(names),
  action: "SCMP_ACT_ALLOW",
  ...conditions,
});
const withCapability = (capability: string, names: string) => allow(names, { includes: { caps: [capability] } });
const onArchitecture = (arches: readonly string[], names: string) => allow(names, { includes: { arches } });
const whereEqual = (name: string, value: number) => allow(name, { args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] });

export const defaultSeccompProfile: SeccompProfile = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 1, // EPERM
  archMap: [
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    { architecture: "SCMP_ARCH_S390X", subArchitectures: ["SCMP_ARCH_S390"] },
  ],
  syscalls: [
    { names: always, action: "SCMP_ACT_ALLOW" },

    // Before 4.8 a tracer could get around seccomp itself.
    allow("process_vm_readv process_vm_writev ptrace", { includes: { minKernel: "4.8" } }),
    allow("socket", { args: [{ index: 0, value: 38, op: "SCMP_CMP_LT" }] }),
    ...families.map((family) => whereEqual("socket", family)),
    ...personalities.map((value) => whereEqual("personality", value)),

    // s390 has clone's flags in its second argument.
    allow("clone", {
      args: [{ index: 0, value: newNamespaces, op: "SCMP_CMP_MASKED_EQ" }],
      excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390", "s390x"] },
    }),
    allow("clone", {
      args: [{ index: 1, value: newNamespaces, op: "SCMP_CMP_MASKED_EQ" }],
      includes: { arches: ["s390", "s390x"] },
      excludes: { caps: ["CAP_SYS_ADMIN"] },
    }),
    // Its flags are in memory, out of a filter's sight. ENOSYS, so that the C library falls back on clone.
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38, excludes: { caps: ["CAP_SYS_ADMIN"] } },

    onArchitecture(["amd64", "x32"], "arch_prctl"),
    onArchitecture(["amd64", "x32", "x86"], "modify_ldt"),
    onArchitecture(["arm", "arm64"], "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
    onArchitecture(["ppc64le"], "sync_file_range2 swapcontext"),
    onArchitecture(["riscv64"], "riscv_flush_icache"),
    onArchitecture(["s390", "s390x"], "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"),

    withCapability(
      "CAP_SYS_ADMIN",
      `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr
      mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount
      umount2 unshare`,
    ),
    withCapability("CAP_BPF", "bpf"),
    withCapability("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
    withCapability("CAP_PERFMON", "perf_event_open"),
    withCapability("CAP_SYS_BOOT", "reboot"),
    withCapability("CAP_SYS_CHROOT", "chroot"),
    withCapability("CAP_SYS_MODULE", "delete_module init_module finit_module"),
    withCapability("CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    withCapability("CAP_SYS_PACCT", "acct"),
    withCapability("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
    withCapability("CAP_SYS_RAWIO", "iopl ioperm"),
    withCapability("CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"),
    withCapability("CAP_SYS_TTY_CONFIG", "vhangup"),
    withCapability("CAP_SYSLOG", "syslog"),
  ],
};

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
